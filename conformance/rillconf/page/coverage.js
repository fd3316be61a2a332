// SPDX-License-Identifier: MIT
// What the measured CPythons executed of asyncio/streams.py: the file, and behind each condition its ways with a case that
// took each, or the mark that none did.
function way([, to, , value, taker, reason]) {
  const known = caseByName.get(taker);
  const [sign, kind, title] = taker ? ['✓', 'taken', 'taken by ' + taker] : reason ? ['–', 'left-out', 'not counted: ' + reason] :
    ['✗', 'missing', 'no case of this run goes on at line ' + to];
  return make(known ? 'a' : 'span', { class: 'way ' + kind, href: known ? '#' + taker : null, title: title },
    make('span', { 'aria-hidden': 'true' }, sign), ' ' + value, make('span', { class: 'hidden-text' }, ' ' + title));
}

// The conditions of one line in their order: equal words are one, however often the compiler wrote them.
function conditionsOf(branches) {
  const found = new Map();
  for (const branch of branches) {
    found.set(branch[2], (found.get(branch[2]) || []).concat([branch]));
  }
  return [...found];
}

function sourceLine(text, number, branches, address) {
  const conditions = conditionsOf(branches);
  const missing = branches.some(([, , , , taker, reason]) => !taker && !reason);
  return make('div', { class: 'code-line' + (missing ? ' has-missing' : ''), id: address.slice(1), tabindex: branches.length ? '-1' : null },
    make('span', { class: 'number' }, String(number)), make('code', {}, text || ' '),
    conditions.map(([words, ways]) => make('span', { class: 'ways' },
      conditions.length > 1 && words ? make('code', {}, words) : null, ways.map(way))));
}

function drawMeasured(measured) {
  const lineAddress = (line) => '#coverage/' + measured.version + '/' + line;
  const at = new Map();
  for (const branch of measured.branches) {
    at.set(branch[0], (at.get(branch[0]) || []).concat([branch]));
  }
  const counted = measured.branches.filter(([, , , , , reason]) => !reason);
  const missing = counted.filter(([, , , , taker]) => !taker);
  const share = (100 * (counted.length - missing.length) / counted.length).toFixed(1);
  return [
    make('h2', {}, measured.file + ' of CPython ' + measured.version),
    make('p', {}, make('strong', {}, counted.length - missing.length + ' of ' + counted.length + ' branches'), ' executed by this run (' + share + ' %), ' +
      (measured.branches.length - counted.length) + ' not counted. A sign leads to a case that takes the branch.'),
    missing.length ? make('ul', { class: 'missing-list' }, missing.map(([line, , words, value]) => make('li', {},
      make('a', { href: lineAddress(line) }, 'line ' + line), ' ', make('code', {}, measured.source[line - 1].trim()),
      ...(words ? [': ', make('code', {}, words)] : []), ' never ' + value))) : null,
    make('div', { class: 'code-file', role: 'region', tabindex: '0', 'aria-label': measured.file },
      measured.source.map((text, index) => sourceLine(text, index + 1, at.get(index + 1) || [], lineAddress(index + 1)))),
  ];
}

function showCoverage(address) {
  if (!byId('coverage').firstChild) {
    byId('coverage').append(...report.coverage.flatMap(drawMeasured).filter(Boolean));
  }
  const line = address && byId('coverage/' + address);
  if (line) {
    line.scrollIntoView({ block: 'center' });
    line.focus({ preventScroll: true });
  }
}
