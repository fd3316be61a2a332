// SPDX-License-Identifier: MIT
// Transcripts side by side: the longest common lines of a step stand in one row, and what differs from the first column is known.

// Pairs [index in left, index in right] of a longest common subsequence.
function commonLines(left, right) {
  const length = Array.from({ length: left.length + 1 }, () => new Array(right.length + 1).fill(0));
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      length[i][j] = left[i] === right[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    if (left[i] === right[j]) {
      pairs.push([i++, j++]);
    } else if (length[i + 1][j] >= length[i][j + 1]) {
      i++;
    } else {
      j++;
    }
  }
  return pairs;
}

// Adds a column to rows: equal lines join the row of their twin, others stand beside what they replace or alone.
function addColumn(rows, lines, column) {
  const spine = rows.filter((entry) => entry[0] !== null);
  const pairs = commonLines(spine.map((entry) => entry[0]), lines);
  const made = [];
  let at = 0;
  let line = 0;
  for (const [i, j] of pairs.concat([[spine.length, lines.length]])) {
    const until = i < spine.length ? rows.indexOf(spine[i]) : rows.length;
    const between = rows.slice(at, until);
    const extra = lines.slice(line, j);
    for (const entry of between) {
      entry[column] = extra.length ? extra.shift() : null;
      made.push(entry);
    }
    for (const text of extra) {
      const entry = new Array(column).fill(null);
      entry[column] = text;
      made.push(entry);
    }
    if (i < spine.length) {
      rows[until][column] = lines[j];
      made.push(rows[until]);
    }
    at = until + 1;
    line = j + 1;
  }
  return made;
}

// The rows of one step; each has a text or null for each column. The first column is the one that others are held against.
function alignStep(columns) {
  let rows = columns[0].map((text) => [text]);
  for (let column = 1; column < columns.length; column++) {
    rows = addColumn(rows, columns[column], column);
  }
  return rows;
}
