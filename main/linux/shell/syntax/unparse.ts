// Turns commands back into text, laid out as bash does for `type`, `declare -f`, job lists and BASH_COMMAND.
import type { AndOr, Command, List, Pipeline, Redirect, TestExpression } from './ast.ts';

const INDENT = 4;

/** A function as `declare -f` prints it. */
export function functionText(name: string, body: Command): string {
  return `${name} () \n${bodyText(body, 0)}`;
}

/** A function's body as `export -f` puts it into the environment. */
export function exportedText(body: Command): string {
  const text = bodyText(body, 0).replace(/\n {4}/g, '\n ');
  return `() ${text.replace(/^\{ \n/, '{ ')}`;
}

/** A list on one line, as job texts have it. */
function listText(list: List): string {
  return list.items
    .map((item, i) => {
      const last = i === list.items.length - 1;
      return andOrText(item.command, 0) + (item.background ? (last ? ' &' : ' & ') : last ? '' : '; ');
    })
    .join('');
}

export function andOrText(andOr: AndOr, indent = 0): string {
  return andOr.rest.reduce(
    (text, { operator, pipeline }) => `${text} ${operator} ${pipelineText(pipeline, indent)}`,
    pipelineText(andOr.first, indent),
  );
}

export function pipelineText(pipeline: Pipeline, indent = 0): string {
  const head = (pipeline.timed === 'no' ? '' : `${pipeline.timed} `) + (pipeline.negated ? '! ' : '');
  return (
    head +
    pipeline.commands
      .map(
        (command, i) =>
          (i === 0 ? '' : pipeline.joins[i - 1] === true ? ' 2>&1 | ' : ' | ') + commandText(command, indent),
      )
      .join('')
  );
}

export function commandText(command: Command, indent = 0): string {
  const redirects = command.redirects.map((redirect) => ` ${redirectText(redirect)}`).join('');
  return compoundText(command, indent) + (command.kind === 'simple' ? '' : redirects);
}

function pad(indent: number): string {
  return ' '.repeat(indent);
}

/** Statements on lines of their own, each but the last ended by `;`. */
function blockText(list: List, indent: number): string {
  const lines = list.items.map((item, i) => {
    const last = i === list.items.length - 1;
    const documents = hereDocumentsOf(item.command);
    const end = item.background ? ' &' : last || documents !== '' ? '' : ';';
    return pad(indent) + andOrText(item.command, indent) + end + documents;
  });
  return lines.join('\n');
}

/** As a block, but closed by `;` for the keyword that follows. */
function closedBlock(list: List, indent: number): string {
  const text = blockText(list, indent);
  return list.items.at(-1)?.background === true || text.endsWith('\n') ? text : `${text};`;
}

function hereDocumentsOf(andOr: AndOr): string {
  const pipelines = [andOr.first, ...andOr.rest.map(({ pipeline }) => pipeline)];
  return pipelines
    .flatMap((pipeline) => pipeline.commands.flatMap((command) => command.redirects))
    .map((redirect) =>
      redirect.hereDocument === undefined
        ? ''
        : `\n${redirect.hereDocument.raw}${redirect.hereDocument.delimiter}\n`,
    )
    .join('');
}

function compoundText(command: Command, indent: number): string {
  const inner = indent + INDENT;
  switch (command.kind) {
    case 'simple':
      return [
        ...command.assignments.map(({ text }) => text),
        ...command.words.map(({ text }) => text),
        ...command.redirects.map(redirectText),
      ].join(' ');
    case 'group':
      return `{ \n${blockText(command.body, inner)}\n${pad(indent)}}`;
    case 'subshell':
      return `( ${blockText(command.body, indent).trimStart()} )`;
    case 'if':
      return ifText(command, indent);
    case 'for':
    case 'select': {
      const words = command.words === undefined ? '"$@"' : command.words.map(({ text }) => text).join(' ');
      return `${command.kind} ${command.name} in ${words};\n${doText(command.body, indent)}`;
    }
    case 'arithmetic-for':
      return `for ((${command.initial.text}; ${command.condition.text.trim()}; ${command.step.text.trim()}))\n${doText(command.body, indent)}`;
    case 'while':
    case 'until':
      return `${command.kind} ${listText(command.condition)}; do\n${closedBlock(command.body, inner)}\n${pad(indent)}done`;
    case 'case':
      return caseText(command, indent);
    case 'arithmetic':
      return `((${command.expression.text}))`;
    case 'test':
      return `[[ ${testText(command.expression)} ]]`;
    case 'function':
      return `function ${functionHead(command.name)}${bodyText(command.body, indent)}`;
    case 'coproc':
      return `coproc ${command.name === undefined ? '' : `${command.name} `}${commandText(command.body, indent)}`;
  }
}

function functionHead(name: string): string {
  return `${name} () \n`;
}

function bodyText(body: Command, indent: number): string {
  const redirects = body.redirects.map((redirect) => ` ${redirectText(redirect)}`).join('');
  if (body.kind === 'group') {
    return `${pad(indent)}{ \n${blockText(body.body, indent + INDENT)}\n${pad(indent)}}${redirects}`;
  }
  return `${pad(indent)}{ \n${pad(indent + INDENT)}${commandText(body, indent + INDENT)}\n${pad(indent)}}`;
}

function doText(body: List, indent: number): string {
  return `${pad(indent)}do\n${closedBlock(body, indent + INDENT)}\n${pad(indent)}done`;
}

function ifText(command: Command & { kind: 'if' }, indent: number): string {
  const [first, ...others] = command.clauses;
  const inner = indent + INDENT;
  let text = `if ${listText(first!.condition)}; then\n${closedBlock(first!.body, inner)}\n`;
  if (others.length > 0) {
    const rest = { ...command, clauses: others, redirects: [] };
    return `${text}${pad(indent)}else\n${pad(inner)}${ifText(rest, inner)};\n${pad(indent)}fi`;
  }
  if (command.otherwise !== undefined)
    text += `${pad(indent)}else\n${closedBlock(command.otherwise, inner)}\n`;
  return `${text}${pad(indent)}fi`;
}

function caseText(command: Command & { kind: 'case' }, indent: number): string {
  const inner = indent + INDENT;
  const items = command.items.map(({ patterns, body, terminator }) => {
    const head = `${pad(inner)}${patterns.map(({ text }) => text).join(' | ')})\n`;
    return `${head}${body.items.length === 0 ? '\n' : `${blockText(body, inner + INDENT)}\n`}${pad(inner)}${terminator}\n`;
  });
  return `case ${command.word.text} in \n${items.join('')}${pad(indent)}esac`;
}

function testText(expression: TestExpression): string {
  switch (expression.kind) {
    case 'unary':
      return `${expression.operator} ${expression.operand.text}`;
    case 'binary':
      return `${expression.left.text} ${expression.operator} ${expression.right.text}`;
    case 'and':
      return `${testText(expression.left)} && ${testText(expression.right)}`;
    case 'or':
      return `${testText(expression.left)} || ${testText(expression.right)}`;
    case 'not':
      return `! ${testText(expression.operand)}`;
    case 'group':
      return `( ${testText(expression.operand)} )`;
  }
}

function redirectText(redirect: Redirect): string {
  const fd = redirect.fdVariable === undefined ? (redirect.fd ?? '') : `{${redirect.fdVariable}}`;
  if (redirect.operator === '<&' || redirect.operator === '>&') {
    if (!/^(?:[0-9]+-?|-)$/.test(redirect.target.text))
      return `${fd}${redirect.operator}${redirect.target.text}`;
    const shown = fd === '' ? (redirect.operator === '<&' ? '0' : '1') : fd;
    return `${shown}${redirect.operator}${redirect.target.text}`;
  }
  if (redirect.hereDocument !== undefined) return `${fd}${redirect.operator}${redirect.target.text}`;
  return `${fd}${redirect.operator} ${redirect.target.text}`;
}
