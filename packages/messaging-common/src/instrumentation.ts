/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import type { DiagLogger, MeterProvider, TracerProvider } from '@opentelemetry/api';
import { InstrumentationBase } from '@opentelemetry/instrumentation';
import { type MessagingInstrumentationConfig, resolveConfig } from './config';
import { type AwaitedModule, isSeen, loadedModules } from './loaded-early';
import { Patches } from './patching';
import { Telemetry } from './telemetry';

/**
 * Base of the messaging instrumentations: OpenTelemetry's own base class, with the engine in place of its bare tracer.
 * Subclasses only name modules and patch them through `patches`.
 */
export abstract class MessagingInstrumentation<
  C extends MessagingInstrumentationConfig = MessagingInstrumentationConfig,
> extends InstrumentationBase<C> {
  // The base class calls most methods below from its constructor, before fields of this class exist: hence `declare`
  // and the getters that make them on first use.
  declare private lazyTelemetry: Telemetry | undefined;
  declare private lazyPatches: Patches | undefined;
  declare private hasLookedForLoaded: true | undefined;

  /** Whether settling a message is a request over the network; `settleSpans` is on by default if so. */
  protected abstract settlesByRequest(): boolean;

  get telemetry(): Telemetry {
    this.lazyTelemetry ??= new Telemetry(
      this.instrumentationName,
      this.instrumentationVersion,
      this.resolvedConfig(),
      this._diag as DiagLogger,
      () => this.logger,
    );
    return this.lazyTelemetry;
  }

  protected get patches(): Patches {
    const { instrumentationName: name, telemetry } = this;
    this.lazyPatches ??= new Patches(this._wrap, { name, isEnabled: () => telemetry.isEnabled }, (text) =>
      this._diag.warn(text),
    );
    return this.lazyPatches;
  }

  override setConfig(config: C): void {
    super.setConfig(config ?? ({} as C));
    this.lazyTelemetry?.configure(this.resolvedConfig());
  }

  override setTracerProvider(provider: TracerProvider): void {
    super.setTracerProvider(provider);
    this.telemetry.signals.setTracerProvider(provider);
  }

  override setMeterProvider(provider: MeterProvider): void {
    super.setMeterProvider(provider);
    this.telemetry.signals.setMeterProvider(provider);
  }

  override enable(): void {
    this.telemetry.isEnabled = true;
    super.enable();
    if (this.hasLookedForLoaded) return;
    this.hasLookedForLoaded = true;
    this.telemetry.guard('look for modules that are loaded', undefined, () => this.warnOfLoaded());
  }

  /** Silences live clients too, and puts the very same functions back. */
  override disable(): void {
    this.telemetry.isEnabled = false;
    super.disable();
    this.patches.removeAll();
  }

  /** Whether what was loaded before the first `enable()` is traced for all that. */
  protected isTraced(module: AwaitedModule): boolean {
    return isSeen(module);
  }

  private warnOfLoaded(): void {
    const { _modules: modules = [] } = this as unknown as { readonly _modules?: readonly AwaitedModule[] };
    const loaded = loadedModules(modules);
    if (loaded.length === 0) return;
    // A hook sees a module that is required once more. And only now may a logger of the bootstrap file be there.
    setImmediate(() => {
      const names = loaded.filter((module) => !this.isTraced(module)).map(({ name }) => name);
      if (names.length === 0 || !this.isEnabled()) return;
      this._diag.warn(`loaded before this instrumentation was registered, and not traced: ${names.join(', ')}`);
    });
  }

  private resolvedConfig() {
    return resolveConfig(this.getConfig(), { settleSpans: this.settlesByRequest() });
  }
}
