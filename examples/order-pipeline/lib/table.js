/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */
'use strict';

const { fit, fitRight } = require('./text.js');

/**
 * Lines of a table. A column is `{ title, of(row), width?, right? }`; without a width it is as wide as its longest cell.
 */
function table(columns, rows, paint) {
  const cells = rows.map((row) => columns.map((column) => String(column.of(row) ?? '')));
  const widths = columns.map(
    ({ title, width }, index) => width ?? Math.max(title.length, ...cells.map((row) => row[index].length)),
  );
  const line = (texts) =>
    texts
      .map((text, index) => (columns[index].right ? fitRight : fit)(text, widths[index]))
      .join('  ')
      .trimEnd();
  return [paint.bold(line(columns.map(({ title }) => title))), ...cells.map(line)].join('\n');
}

module.exports = { table };
