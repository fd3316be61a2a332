// SPDX-License-Identifier: MIT
// The data of the run, what is asked of it, and the few ways in which elements are made. Text is never parsed as HTML.
const report = JSON.parse(document.getElementById('data').textContent);
const NONE = -1;
const GOOD = ['SAME', 'KNOWN', 'SKIP'];
const GLYPHS = { SAME: '=', KNOWN: '≈', SKIP: '·', DIFF: '≠', CRASH: '×', HANG: '∞', LEAK: '+', FLAKY: '~', 'ORACLE-DRIFT': 'Δ' };
// From what is looked at first to what needs no look.
const WORST = ['CRASH', 'HANG', 'FLAKY', 'LEAK', 'DIFF', 'ORACLE-DRIFT', 'KNOWN', 'SAME', 'SKIP'];
const SHORT_OF = { 'ORACLE-DRIFT': 'DRIFT' };

const caseByName = new Map(report.cases.map((item) => [item.n, item]));

// make('a', {href: '#x', class: 'y'}, child, ...): an element; a child is an element, a text, or null.
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(key, value === true ? '' : value);
    }
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) {
      element.append(child);
    }
  }
  return element;
}

function byId(id) {
  return document.getElementById(id);
}

// The run of one case on one testee and backend, or null where none was.
function cellOf(item, testee, backend) {
  const index = item.g[testee][backend];
  if (index === NONE) {
    return null;
  }
  const [verdict, detail, transcript, reference, release, step] = item.c[index];
  return {
    verdict: report.verdicts[verdict], detail: detail === NONE ? '' : report.strings[detail],
    transcript: transcript, reference: reference, release: report.strings[release], step: step,
  };
}

function isGood(verdict) {
  return GOOD.includes(verdict);
}

function worstOf(verdicts) {
  return WORST.find((name) => verdicts.has(name)) || null;
}

function testeeName(index) {
  const testee = report.testees[index];
  return testee.oracle ? 'CPython ' + testee.version : testee.name;
}

function indices(list) {
  return list.map((_, index) => index);
}

function addressOf(item, backend) {
  return '#' + item.n + '/' + report.backends[backend];
}

function badge(verdict, text) {
  return make('span', { class: 'badge v-' + verdict }, make('span', { 'aria-hidden': 'true' }, GLYPHS[verdict]),
    ' ', text || verdict);
}

// A text of the specification: its `code` and *emphasis* become elements.
function prose(text) {
  return text.split(/(`[^`]*`|\*[^*` ][^*`]*\*)/).map((part, index) =>
    (index % 2 ? make(part[0] === '`' ? 'code' : 'em', {}, part.slice(1, -1)) : part));
}
