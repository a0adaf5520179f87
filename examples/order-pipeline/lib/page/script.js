/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);

const FILTERS = {
  all: () => true,
  shipped: (order) => order.outcome === 'shipped' && order.attempts === 1,
  retried: (order) => order.outcome === 'shipped' && order.attempts > 1,
  'dead-lettered': (order) => order.outcome === 'dead-lettered',
};
const INDENT_PX = 11;
const SCALE_STEPS = [1, 2, 5];

let filter = 'all';
let order =
  data.orders.find(({ id }) => id === decodeURIComponent(location.hash.slice(1))) ??
  data.orders.find(({ id }) => id === data.selected) ??
  data.orders[0];
let chosen;

/** An element; text goes in as text only, so nothing in a span can become markup. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const { style, ...rest } = properties;
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    if (name in made || typeof value === 'object') made[name] = value;
    else made.setAttribute(name, value);
  }
  for (const [name, value] of Object.entries(style ?? {})) made.style.setProperty(name, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

function duration(ms) {
  if (ms === undefined) return '';
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 100 ? ms.toFixed(0) : ms.toFixed(1)} ms`;
}

const count = (number, what) => `${number} ${what}${number === 1 ? '' : 's'}`;

const colorOf = (service) => ({ '--service': data.services.includes(service) ? `var(--${service})` : 'var(--soft)' });

const outcomeOf = ({ outcome, attempts }) =>
  outcome === 'shipped' && attempts > 1
    ? { className: 'retried', text: 'retried' }
    : { className: outcome.replace(' ', '-'), text: outcome };

function showHeader() {
  const day = new Date(data.madeAt);
  byId('summary').textContent =
    `${count(data.orders.length, 'order')}, ${count(data.spanCount, 'span')} of ${count(data.services.length, 'service')}, traced by ${data.title}, ${day.toLocaleString()}`;
  const failed = data.checks.filter(({ problems }) => problems.length > 0);
  const checks = byId('checks');
  checks.className = failed.length ? 'bad' : 'good';
  checks.querySelector('summary').textContent = failed.length
    ? `✗ ${failed.length} of ${data.checks.length} checks failed`
    : `✓ ${data.checks.length} checks passed`;
  checks
    .querySelector('ul')
    .append(
      ...data.checks.map(({ name, problems }) =>
        element(
          'li',
          {},
          element('span', { className: problems.length ? 'mark-bad' : 'mark-good' }, problems.length ? '✗ ' : '✓ '),
          name,
          problems.length
            ? element('ul', {}, ...problems.slice(0, 12).map((text) => element('div', {}, text)))
            : undefined,
        ),
      ),
    );
}

function showFilters() {
  const buttons = Object.keys(FILTERS).map((name) => {
    const count = data.orders.filter(FILTERS[name]).length;
    const choose = () => {
      filter = name;
      const visible = data.orders.filter(FILTERS[name]);
      if (visible.length && !visible.includes(order)) select(visible[0]);
      showFilters();
      showOrders();
    };
    return element(
      'button',
      { type: 'button', ariaPressed: String(filter === name), onclick: choose },
      `${name} ${count}`,
    );
  });
  byId('filters').replaceChildren(...buttons);
}

function showOrders() {
  const buttons = data.orders.filter(FILTERS[filter]).map((each) => {
    const outcome = outcomeOf(each);
    return element(
      'li',
      {},
      element(
        'button',
        { type: 'button', ariaCurrent: String(each === order), onclick: () => select(each) },
        element('span', { className: 'id' }, each.id),
        element('span', { className: `outcome ${outcome.className}` }, outcome.text),
        element('span', { className: 'time' }, duration(each.totalMs)),
      ),
    );
  });
  byId('orders').replaceChildren(...buttons);
  byId('orders').querySelector('[aria-current="true"]')?.scrollIntoView({ block: 'nearest' });
}

/** The services in the order in which the order came to them, with the wait before each. */
function showJourney() {
  const rows = order.pieces.flat();
  const stops = rows.filter((row) => row.kind === 'SERVER' || (row.kind === 'CONSUMER' && row.depth > 0));
  stops.sort((a, b) => a.startMs - b.startMs);
  const attempts = new Map();
  byId('journey').replaceChildren(
    ...stops.flatMap((row) => {
      const attempt = (attempts.get(row.service) ?? 0) + 1;
      attempts.set(row.service, attempt);
      const last = row === stops.at(-1);
      const again = attempt > 1 ? `attempt ${attempt}, ` : '';
      const end = last ? `, ${order.outcome}` : row.error || row.refused ? ', refused' : '';
      const stop = element(
        'div',
        { className: `stop${row.error || row.refused ? ' failed' : ''}`, style: colorOf(row.service) },
        row.service,
        element('small', {}, `${again}${duration(row.durationMs)}${end}`),
      );
      if (row === stops[0]) return [stop];
      if (!row.queue)
        return [element('div', { className: 'hop broken' }, 'not in', element('b', {}, 'this trace')), stop];
      return [
        element('div', { className: 'hop' }, row.queue.place, element('b', {}, duration(row.queue.durationMs))),
        stop,
      ];
    }),
  );
}

function showTrace() {
  const pieces = order.pieces;
  const endMs = Math.max(...pieces.flat().map((row) => row.startMs + row.durationMs), 0.001);
  byId('trace').replaceChildren(
    ...(order.others
      ? [element('p', { className: 'note' }, `${order.others} other orders are in the same trace.`)]
      : []),
    ...(pieces.length
      ? pieces.map((rows, index) => pieceOf(rows, index, endMs))
      : [element('p', {}, `No span tells of order ${order.id}.`)]),
  );
}

function pieceOf(rows, index, endMs) {
  const ticks = ticksOf(endMs);
  const position = (ms) => `${(ms / endMs) * 100}%`;
  const part = order.pieces.length > 1 ? `, piece ${index + 1} of ${order.pieces.length}` : '';
  const attempts = order.attempts > 1 ? `, ${order.attempts} attempts` : '';
  const title = `Order ${order.id}: ${order.outcome}${attempts}${part}`;
  return element(
    'div',
    { className: 'piece' },
    element('h2', {}, title, element('code', {}, `trace ${rows[0].traceId}`)),
    element(
      'div',
      { className: 'rows' },
      element(
        'div',
        { className: 'axis' },
        element(
          'div',
          { className: 'head' },
          `${count(rows.length, 'span')} of ${count(new Set(rows.map(({ service }) => service)).size, 'service')}`,
        ),
        element(
          'div',
          { className: 'scale' },
          ...ticks.map((ms) => element('span', { style: { left: position(ms) } }, tick(ms))),
        ),
      ),
      ...rows.map((row, at) => rowOf(row, rows, at, ticks, position)),
    ),
  );
}

function rowOf(row, rows, at, ticks, position) {
  const end = row.startMs + row.durationMs;
  const made = element(
    'button',
    {
      type: 'button',
      className: 'row',
      style: colorOf(row.service),
      ariaCurrent: String(row === chosen),
      onclick: () => choose(row),
    },
    element(
      'span',
      { className: 'what' },
      element('span', { className: 'service' }, row.service),
      treeOf(rows, at),
      element('span', { className: 'name', title: row.name }, row.name),
      row.error || row.refused
        ? element(
            'span',
            { className: 'failed-mark', title: row.error ?? 'refused by its handler' },
            row.error ? '✗' : '↩',
          )
        : undefined,
      row.orphan ? element('span', { className: 'kind' }, 'ORPHAN') : undefined,
      element('span', { className: 'kind' }, row.kind),
    ),
    element(
      'span',
      { className: 'time' },
      ...ticks.map((ms) => element('i', { className: 'grid', style: { left: position(ms) } })),
      row.queue && row.queue.durationMs > 0 ? gapOf(row.queue, position) : undefined,
      element('span', {
        className: `bar${row.error || row.refused ? ' failed' : ''}`,
        style: { left: position(row.startMs), width: position(row.durationMs) },
      }),
      element('span', { className: 'length', style: { left: position(end) } }, duration(row.durationMs)),
    ),
  );
  made.row = row;
  return made;
}

const gapOf = ({ startMs, durationMs, place }, position) =>
  element(
    'span',
    { className: 'gap', style: { left: position(startMs), width: position(durationMs) } },
    element('span', {}, element('em', { texts: [`${duration(durationMs)} in ${place}`, duration(durationMs), ''] })),
  );

/** As much as there is room for: how long and where, how long, or nothing. */
function fitLabels() {
  for (const label of document.querySelectorAll('.gap em')) {
    const room = label.closest('.gap').clientWidth - 6;
    for (const text of label.texts) {
      label.textContent = text;
      label.hidden = text === '';
      if (label.offsetWidth <= room) break;
    }
  }
}

function treeOf(rows, at) {
  const { depth } = rows[at];
  const continues = (level) => rows.slice(at + 1).find((row) => row.depth <= level)?.depth === level;
  const lines = Array.from({ length: depth }, (_, index) => index + 1)
    .filter((level) => level === depth || continues(level))
    .map((level) => {
      const own = level === depth;
      return element('i', {
        className: `${own ? 'own' : ''}${own && !continues(level) ? ' last' : ''}`,
        style: { left: `${(level - 1) * INDENT_PX + 4}px` },
      });
    });
  return element('span', { className: 'tree', style: { width: `${depth * INDENT_PX}px` } }, ...lines);
}

/** Round times, at most six of them: the names on the left leave no room for more. */
function ticksOf(endMs) {
  const power = 10 ** Math.floor(Math.log10(endMs / 5));
  const step = [...SCALE_STEPS.map((factor) => factor * power), 10 * power].find((candidate) => endMs / candidate <= 5);
  return Array.from({ length: Math.floor(endMs / step) + 1 }, (_, index) => index * step);
}

const tick = (ms) => (ms === 0 ? '0' : ms >= 1000 ? `${+(ms / 1000).toFixed(2)} s` : `${+ms.toFixed(2)} ms`);

function showDetails() {
  if (!chosen) return byId('details').replaceChildren(element('p', {}, 'Choose a span to see its attributes.'));
  const { service, name, kind, startMs, durationMs, queue, error, attributes, links, events, scope } = chosen;
  const identity = {
    'trace id': chosen.traceId,
    'span id': chosen.spanId,
    parent: chosen.parentSpanId ? nameOfSpan(chosen.parentSpanId) : 'none',
    'made by': scope,
  };
  const facts = [
    ['starts at', `+${duration(startMs)}`],
    ['lasts', duration(durationMs)],
    ...(queue ? [['waited', duration(queue.durationMs)]] : []),
  ];
  byId('details').replaceChildren(
    element('h2', {}, name),
    element('p', { style: colorOf(service) }, element('span', { className: 'by' }, service), ` · ${kind}`),
    element(
      'div',
      { className: 'facts' },
      ...facts.map(([label, value]) => element('div', {}, element('b', {}, value), element('span', {}, label))),
    ),
    ...(error ? [element('p', { className: 'error' }, error)] : []),
    ...(queue ? [heading('Queue'), element('p', {}, `${duration(queue.durationMs)} in ${queue.place}`)] : []),
    ...(Object.keys(attributes).length ? [heading('Attributes'), listOf(attributes)] : []),
    ...(links.length ? [heading(links.length === 1 ? 'Link' : `${links.length} links`), ...links.map(linkOf)] : []),
    ...events.flatMap((event) => [
      heading(`Event: ${event.name} at +${duration(event.atMs)}`),
      listOf(event.attributes),
    ]),
    heading('Identity'),
    listOf(identity, { unsorted: true }),
  );
  byId('details').scrollTop = 0;
}

const heading = (text) => element('h3', {}, text);

const nameOfSpan = (spanId) => (data.names[spanId] ? `${data.names[spanId]} (${spanId})` : `${spanId} (not received)`);

function listOf(values, { unsorted } = {}) {
  const entries = Object.entries(values);
  if (!unsorted) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  return element(
    'dl',
    {},
    ...entries.map(([key, value]) => element('div', {}, element('dt', {}, key), element('dd', {}, text(value) ?? ''))),
  );
}

function linkOf({ spanId, traceId, attributes }) {
  const elsewhere = traceId === chosen.traceId ? '' : ', in another trace';
  return listOf({ to: nameOfSpan(spanId) + elsewhere, ...attributes }, { unsorted: true });
}

function choose(row) {
  chosen = row;
  for (const each of document.querySelectorAll('.row')) each.ariaCurrent = String(each.row === row);
  showDetails();
}

function select(next) {
  order = next;
  // The span worth looking at first: the last handler, where the order ended.
  chosen =
    order.pieces
      .flat()
      .filter(({ kind }) => kind === 'CONSUMER')
      .at(-1) ?? order.pieces[0]?.[0];
  history.replaceState(null, '', `#${encodeURIComponent(order.id)}`);
  for (const show of [showOrders, showJourney, showTrace, showDetails, fitLabels]) show();
}

function showTip(event) {
  const row = event.target.closest?.('.row')?.row;
  const tip = byId('tip');
  tip.hidden = !row || !event.target.closest('.time');
  if (tip.hidden) return;
  const waited = row.queue
    ? element('div', {}, `before: ${duration(row.queue.durationMs)} in ${row.queue.place}`)
    : undefined;
  tip.replaceChildren(
    element('b', {}, `${row.service}: ${row.name}`),
    element('div', {}, `${row.kind}, from +${duration(row.startMs)} for ${duration(row.durationMs)}`),
    ...(waited ? [waited] : []),
    ...(row.error ? [element('div', {}, `✗ ${row.error}`)] : []),
    ...(row.refused ? [element('div', {}, '↩ refused by its handler')] : []),
  );
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8)}px`;
}

function onKey(event) {
  const step = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    const rows = order.pieces.flat();
    const next = rows[Math.min(Math.max(rows.indexOf(chosen) + step, 0), rows.length - 1)];
    if (next) choose(next);
  } else {
    const orders = data.orders.filter(FILTERS[filter]);
    const next = orders[Math.min(Math.max(orders.indexOf(order) + step, 0), orders.length - 1)];
    if (next) select(next);
  }
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
}

byId('theme').onclick = switchTheme;
document.addEventListener('mousemove', showTip);
document.addEventListener('keydown', onKey);
addEventListener('resize', fitLabels);
showHeader();
showFilters();
select(order);
