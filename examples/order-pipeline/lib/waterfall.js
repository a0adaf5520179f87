/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { isRefused } = require('./message.js');
const { duration, fit, fitRight } = require('./text.js');
const { layOut } = require('./trace.js');

const WIDTHS = { service: 12, name: 49, kind: 8, start: 8, duration: 8 };
const BAR_WIDTH = 120 - 5 - Object.values(WIDTHS).reduce((sum, width) => sum + width, 0);

/** One trace in lines of at most 120 columns: `█` is work, `░` is time in a queue. */
function waterfall(spans, paint) {
  const { rows, startMs, endMs } = layOut(spans);
  const column = (ms) => ((ms - startMs) / Math.max(endMs - startMs, 0.001)) * BAR_WIDTH;
  const axis = `0${fitRight(duration(endMs - startMs), BAR_WIDTH - 1)}`;
  const heading = line('service', 'span', 'kind', 'start', 'duration', axis);
  const body = rows.flatMap((row, index) => {
    const { span, queue } = row;
    const work = line(
      paint.service(span.service, fit(span.service, WIDTHS.service)),
      fit(`${branches(rows, index).working}${span.name}${markOf(row)}`, WIDTHS.name),
      paint.dim(fit(span.kind, WIDTHS.kind)),
      fitRight(`+${duration(span.startMs - startMs)}`, WIDTHS.start),
      fitRight(duration(span.endMs - span.startMs), WIDTHS.duration),
      paint.service(span.service, bar('█', column(span.startMs), column(span.endMs))),
    );
    if (!queue || queue.endMs - queue.startMs < 0.1) return [work];
    const waited = duration(queue.endMs - queue.startMs);
    const gap = line(
      '',
      fit(`${branches(rows, index).waiting}waits in ${queue.place}`, WIDTHS.name),
      '',
      fitRight(`+${duration(queue.startMs - startMs)}`, WIDTHS.start),
      fitRight(waited, WIDTHS.duration),
      bar('░', column(queue.startMs), column(queue.endMs)),
    );
    return [paint.dim(gap), work];
  });
  return [
    paint.bold(heading),
    ...body,
    paint.dim('█ at work   ░ in a queue   ↩ refused by its handler   ✗ failed'),
  ].join('\n');
}

function markOf({ span, orphan }) {
  const mark = span.error ? ' ✗' : isRefused(span) ? ' ↩' : '';
  return orphan ? `${mark} (orphan)` : mark;
}

function line(service, name, kind, start, length, timeline) {
  const cells = [
    fitCell(service, WIDTHS.service),
    fitCell(name, WIDTHS.name),
    fitCell(kind, WIDTHS.kind),
    start.length < WIDTHS.start ? fitRight(start, WIDTHS.start) : start,
    length.length < WIDTHS.duration ? fitRight(length, WIDTHS.duration) : length,
    timeline,
  ];
  return cells.join(' ').trimEnd();
}

/** Painted cells are longer than they look and already fitted. */
const fitCell = (text, width) => (text.length < width ? text.padEnd(width) : text);

/** At least one cell, inside the timeline. */
function bar(character, from, to) {
  const start = Math.min(Math.floor(from), BAR_WIDTH - 1);
  const end = Math.min(Math.max(Math.round(to), start + 1), BAR_WIDTH);
  return ' '.repeat(start) + character.repeat(end - start);
}

/** The lines of the tree in front of a row's name, and in front of what it waited for, a line above. */
function branches(rows, index) {
  const { depth } = rows[index];
  if (depth === 0) return { waiting: '', working: '' };
  const continues = (level) => rows.slice(index + 1).find((row) => row.depth <= level)?.depth === level;
  let above = '';
  for (let level = 1; level < depth; level++) above += continues(level) ? '│ ' : '  ';
  return { waiting: `${above}│   `, working: `${above}${continues(depth) ? '├ ' : '└ '}` };
}

module.exports = { waterfall };
