/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { isConsuming, MODE_TITLES, MODES, REMARKS, upstreamIsComparable } from './plan.mjs';
import { summarise } from './stats.mjs';

const HAND_WRITTEN_LIMIT = 1;
const UPSTREAM_LIMIT = 0.5;
const NO_SDK_LIMIT_NS = 150;
const BYTES_LIMIT = 16;

/** All tables as Markdown, which also reads well on a terminal. */
export function renderTables(results, runtimes) {
  const parts = [];
  for (const { name } of runtimes) {
    for (const mode of MODES) {
      const rows = results.cells.filter((cell) => cell.runtime.name === name && cell.mode === mode);
      if (rows.length > 0) parts.push(`### ${name}, ${MODE_TITLES[mode]}\n\n${timeTable(rows)}`);
    }
    const kept = results.retained.filter((row) => row.runtime.name === name);
    if (kept.length > 0) parts.push(`### ${name}, bytes kept per message\n\n${retainedTable(kept)}`);
  }
  parts.push(REMARKS.map((line) => `- ${line}`).join('\n'));
  return parts.join('\n\n');
}

/** One line for each budget: how many cells hold it, and which do not. */
export function renderVerdicts(results) {
  const budgets = [
    ['ours costs less than hand-written', (cell) => judgements(cell).handWritten],
    ['ours costs at most half of upstream (Node 20, consuming)', (cell) => judgements(cell).upstream],
    ['ours costs less than 150 ns per message without an SDK', (cell) => judgements(cell).noSdk],
  ];
  const lines = budgets.map(([title, judge]) => {
    const judged = results.cells
      .map((cell) => ({ cell, verdict: judge(cell) }))
      .filter(({ verdict }) => verdict !== undefined);
    return verdictLine(
      title,
      judged.length,
      judged.filter(({ verdict }) => !verdict).map(({ cell }) => cellName(cell)),
    );
  });
  const kept = results.retained.filter((row) => row.bytes.ours !== undefined);
  lines.push(
    verdictLine(
      'ours keeps no byte per message',
      kept.length,
      kept.filter((row) => row.bytes.ours > BYTES_LIMIT).map((row) => `${row.runtime.name} ${row.title}`),
    ),
  );
  return lines.join('\n');
}

/** Whether any budget is missed. */
export function missesBudget(results) {
  return (
    results.cells.some((cell) => Object.values(judgements(cell)).includes(false)) ||
    results.retained.some((row) => row.bytes.ours > BYTES_LIMIT)
  );
}

function verdictLine(title, total, missed) {
  if (total === 0) return `- ${title}: not measured`;
  const held = `${total - missed.length} of ${total}`;
  return missed.length === 0
    ? `- ${title}: yes, in ${held}`
    : `- ${title}: in ${held}; **not in** ${missed.join(', ')}`;
}

function timeTable(cells) {
  const rows = cells.map((cell) => {
    const { ratioHandWritten, ratioUpstream, net } = ratios(cell);
    return [
      `${cell.client} ${cell.op}`,
      spread(cell.samples.none),
      spread(cell.samples['hand-written']),
      spread(cell.samples.upstream),
      spread(cell.samples.ours),
      ratioText(ratioHandWritten),
      upstreamIsComparable(cell) ? ratioText(ratioUpstream) : '(n/c)',
      cell.mode === 'no-sdk' && net.ours !== undefined ? `${net.ours.toFixed(0)} ns` : '',
      verdictText(cell),
    ];
  });
  return table(
    ['ns per message', 'none', 'hand-written', 'upstream', 'ours', 'ours / hand', 'ours / upstream', 'added', 'budget'],
    rows,
  );
}

function retainedTable(rows) {
  return table(
    ['bytes', 'none', 'hand-written', 'upstream', 'ours'],
    rows.map(({ title, bytes }) => [
      title,
      ...['none', 'hand-written', 'upstream', 'ours'].map((name) => bytes[name]?.toFixed(0) ?? '-'),
    ]),
  );
}

/** Ratios of what the contestants add to the bare application. */
function ratios({ samples }) {
  const none = samples.none === undefined ? 0 : summarise(samples.none).median;
  const net = {};
  for (const [name, values] of Object.entries(samples)) net[name] = summarise(values).median - none;
  return { net, ratioHandWritten: net.ours / net['hand-written'], ratioUpstream: net.ours / net.upstream };
}

function judgements(cell) {
  const { net, ratioHandWritten, ratioUpstream } = ratios(cell);
  const judged = {};
  if (Number.isFinite(ratioHandWritten)) judged.handWritten = ratioHandWritten < HAND_WRITTEN_LIMIT;
  if (
    Number.isFinite(ratioUpstream) &&
    cell.runtime.name === 'Node 20' &&
    isConsuming(cell.op) &&
    upstreamIsComparable(cell)
  ) {
    judged.upstream = ratioUpstream <= UPSTREAM_LIMIT;
  }
  if (cell.mode === 'no-sdk' && net.ours !== undefined) judged.noSdk = net.ours < NO_SDK_LIMIT_NS;
  return judged;
}

function verdictText(cell) {
  const judged = Object.entries(judgements(cell));
  if (judged.length === 0) return '';
  const names = { handWritten: 'hand-written', upstream: 'upstream', noSdk: 'no SDK' };
  const missed = judged.filter(([, held]) => !held).map(([name]) => names[name]);
  return missed.length === 0 ? 'ok' : `**over: ${missed.join(', ')}**`;
}

function spread(values) {
  if (values === undefined || values.length === 0) return '-';
  const { median, low, high } = summarise(values);
  return `${median.toFixed(0)} (${low.toFixed(0)} to ${high.toFixed(0)})`;
}

function ratioText(ratio) {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : '-';
}

function cellName({ runtime, mode, client, op }) {
  return `${runtime.name} ${mode} ${client} ${op}`;
}

function table(header, rows) {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
