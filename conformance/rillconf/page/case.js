// SPDX-License-Identifier: MIT
// One case on one backend: its script with the transcripts side by side, the exchange as a drawing, its rules.

// Who gave which transcript: testees under test each for itself, CPythons that agree as one column, recordings where none ran.
function columnsOf(item, backend) {
  const columns = [];
  const skipped = [];
  for (const testee of indices(report.testees)) {
    const cell = cellOf(item, testee, backend);
    if (!cell || cell.verdict === 'SKIP') {
      skipped.push([testee, cell ? cell.detail : 'not run']);
      continue;
    }
    const oracle = report.testees[testee].oracle;
    const same = oracle && columns.find((column) => column.oracle && column.transcript === cell.transcript);
    if (same) {
      same.testees.push(testee);
      same.cells.push(cell);
    } else {
      columns.push({ oracle: oracle, transcript: cell.transcript, testees: [testee], cells: [cell] });
    }
  }
  for (const { reference, release } of columns.filter((column) => !column.oracle).map((column) => column.cells[0])) {
    if (reference !== NONE && !columns.some((column) => column.oracle && column.transcript === reference)) {
      columns.push({ oracle: true, transcript: reference, testees: [], cells: [], recorded: release });
    }
  }
  return [columns, skipped];
}

// The column that the others are held against: the one that judges what is under test (what differs first), else the newest CPython's.
function referenceColumn(columns) {
  const tested = columns.find((column) => !column.oracle && column.cells[0].verdict !== 'SAME') || columns.find((column) => !column.oracle);
  const wanted = tested && tested.cells[0].reference;
  return columns.find((column) => column.oracle && column.transcript === wanted) || columns.find((column) => column.oracle) || columns[0];
}

// 3.7.16, 3.8.18, ... are many: from the oldest to the newest when all that ran lie between.
function titleOf(column) {
  if (!column.testees.length) {
    return 'CPython ' + column.recorded + ', recorded';
  }
  if (!column.oracle) {
    return testeeName(column.testees[0]);
  }
  const versions = column.testees.map((testee) => report.testees[testee].version);
  const oracles = indices(report.testees).filter((testee) => report.testees[testee].oracle);
  const run = column.testees.every((testee, index) => oracles.indexOf(testee) === oracles.indexOf(column.testees[0]) + index);
  return 'CPython ' + (versions.length > 2 && run ? versions[versions.length - 1] + ' to ' + versions[0] : versions.join(', '));
}

function headOf(column) {
  const verdicts = new Map(column.cells.map((cell) => [cell.verdict, cell]));
  return make('div', { class: 'column-head', role: 'columnheader' }, make('b', {}, titleOf(column)),
    [...verdicts.keys()].map((verdict) => badge(verdict)),
    [...verdicts.values()].filter((cell) => cell.detail && cell.verdict !== 'DIFF').map((cell) =>
      make('span', { class: 'detail' }, prose(cell.detail))));
}

function linesOf(item, column, step) {
  const text = item.t[column.transcript][step];
  return text ? text.split('\n') : [];
}

// The rows of a step, in the order of the columns on the page.
function alignedRows(item, columns, step) {
  const base = referenceColumn(columns);
  const order = [base].concat(columns.filter((column) => column !== base));
  return alignStep(order.map((column) => linesOf(item, column, step))).map((texts) =>
    columns.map((column) => texts[order.indexOf(column)]));
}

function lineCell(text, column, differs) {
  const state = text !== null && /^(state|flow)[@ ]/.test(text);
  return make('div', { class: 'line' + (state ? ' state' : '') + (differs ? ' differs' : '') + (text === null ? ' absent' : ''), role: 'cell',
    'data-who': titleOf(column) }, text === null ? make('span', { 'aria-label': 'nothing' }, '–') : text);
}

// Fills the table of transcripts; returns the steps where a column leaves the reference.
function drawSteps(table, item, columns) {
  const base = columns.indexOf(referenceColumn(columns));
  const parted = new Set();
  const steps = [];
  for (let step = 1; step <= item.s.length + 1; step++) {
    const rows = alignedRows(item, columns, step);
    const source = item.s[step - 1];
    if (source === undefined && !rows.length) {
      break;
    }
    table.append(make('div', { class: 'source', role: 'row', id: 'step-' + step }, make('span', { class: 'number', role: 'cell' }, String(step)),
      make('code', { role: 'cell' }, source === undefined ? 'end' : source)));
    for (const texts of rows) {
      const differs = texts.map((text) => text !== texts[base]);
      const fresh = columns.filter((column, index) => differs[index] && !parted.has(column));
      fresh.forEach((column) => parted.add(column));
      const kind = !fresh.length ? '' : fresh.some((column) => !column.oracle) ? ' first' : ' first versions';
      const row = make('div', { class: 'row ' + (differs.some(Boolean) ? 'differ' : 'equal') + kind, role: 'row',
        tabindex: fresh.length ? '-1' : null, 'data-mark': fresh.length ? 'first difference from ' + titleOf(columns[base]) + ': ' + fresh.map(titleOf).join('; ') : null },
      texts.map((text, index) => lineCell(text, columns[index], differs[index])));
      table.append(row);
      if (fresh.length) {
        steps.push(step);
      }
    }
  }
  return steps;
}

function tabs(item, backend) {
  return make('nav', { class: 'tabs', 'aria-label': 'Backends' }, report.backends.map((name, index) => {
    const worst = worstOf(new Set(indices(report.testees).map((testee) => cellOf(item, testee, index)).filter(Boolean).map((cell) => cell.verdict)));
    const ran = indices(report.testees).some((testee) => (cellOf(item, testee, index) || { verdict: 'SKIP' }).verdict !== 'SKIP');
    return make('a', { href: addressOf(item, index), 'aria-current': index === backend ? 'page' : null, class: ran ? null : 'none' },
      make('span', { class: 'square v-' + (worst || 'none'), 'aria-hidden': 'true' }, worst ? GLYPHS[worst] : ''), name);
  }));
}

function steer(item) {
  const at = listed.findIndex((address) => address.startsWith('#' + item.n + '/'));
  const link = (offset, text, key) => {
    const address = at < 0 ? undefined : listed[at + offset];
    return address ? make('a', { href: address, rel: offset < 0 ? 'prev' : 'next', title: key }, text) : make('span', {}, text);
  };
  return make('p', { class: 'steer' }, make('a', { href: '#', title: 'Esc' }, '← all cases'), link(-1, 'previous', 'k'), link(1, 'next', 'j'),
    at < 0 ? null : make('span', { class: 'quiet' }, (at + 1) + ' of ' + listed.length));
}

function skippedList(skipped) {
  const reasons = new Map();
  for (const [testee, reason] of skipped) {
    reasons.set(reason, (reasons.get(reason) || []).concat(testeeName(testee)));
  }
  return [...reasons].map(([reason, names]) => make('p', { class: 'quiet' }, badge('SKIP'), ' ' + names.join(', ') + ': ' + reason));
}

function drawingOf(item, columns, steps) {
  const shown = columns.find((column) => !column.oracle && column.cells[0].verdict !== 'SAME') || columns[0];
  const box = make('div', { class: 'drawing' });
  const draw = (column) => {
    const width = Math.min(760, Math.max(280, box.clientWidth || 320));
    box.replaceChildren(drawExchange(item, item.t[column.transcript], steps[0] || 0, width));
  };
  const choice = columns.length > 1 ? make('label', {}, 'Transcript ', make('select', { id: 'drawn' },
    columns.map((column, index) => make('option', { value: index, selected: column === shown }, titleOf(column))))) : null;
  if (choice) {
    choice.lastChild.addEventListener('change', (event) => draw(columns[Number(event.target.value)]));
  }
  const section = make('section', { class: 'exchange-part' }, make('h3', {}, 'The exchange'), choice, box);
  section.redraw = () => draw(choice ? columns[Number(choice.lastChild.value)] : shown);
  return section;
}

function rulesOf(item) {
  return make('section', { class: 'rules-part' }, make('h3', {}, 'Rules'), item.r.map((rule) =>
    make('div', { class: 'rule' }, make('h4', {}, make('a', { href: '#rules/' + rule }, rule)), ruleText(rule))));
}

function drawCase(item, backend) {
  const [columns, skipped] = columnsOf(item, backend);
  const section = byId('case');
  const header = item.h.filter((line) => !/^rule\b/.test(line.trim()));
  section.replaceChildren(steer(item), make('h2', { id: 'case-title', tabindex: '-1' }, item.n), make('p', { class: 'quiet' }, item.p), tabs(item, backend),
    header.length ? make('pre', { class: 'header' }, header.join('\n')) : '');
  if (columns.length) {
    const table = make('div', { class: 'transcripts', role: 'table', 'aria-label': 'Transcripts', style: '--columns:' + columns.length },
      make('div', { class: 'row heads', role: 'row' }, columns.map(headOf)));
    const steps = drawSteps(table, item, columns);
    const next = make('button', { type: 'button', id: 'next-difference' }, 'To the ' + (steps.length > 1 ? 'next' : 'first') + ' difference');
    next.addEventListener('click', nextDifference);
    const drawing = drawingOf(item, columns, steps);
    section.append(make('p', { class: 'agree' }, steps.length ? next : make('span', {}, columns.length > 1 ? 'All transcripts are equal.' : 'One transcript.')),
      make('div', { class: 'scroll' }, table), ...skippedList(skipped), make('div', { class: 'below' }, drawing, rulesOf(item)));
    drawing.redraw();
  } else {
    section.append(make('p', { class: 'notice' }, 'Nobody ran this case on ' + report.backends[backend] + '.'), ...skippedList(skipped),
      make('pre', { class: 'header' }, item.s.join('\n')), rulesOf(item));
  }
}

// Moves to the next marked row; after the last comes the first.
function nextDifference() {
  const rows = [...document.querySelectorAll('#case .row.first')];
  if (rows.length) {
    const at = rows.indexOf(document.activeElement);
    const row = rows[(at + 1) % rows.length];
    row.focus();
    row.scrollIntoView({ block: 'center' });
  }
}
