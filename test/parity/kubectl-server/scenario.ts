// Reads scenario files: a user's story as a terminal would show it, several to a file.
//
//   = title of a scenario
//   # a remark
//   $ command             run by bash, with the real kubectl on its PATH and a namespace of its own as default
//   > more of it          (a here-document, say)
//   ~ command             the same, over and over until it prints what is expected
//   @ advance 5m          lets virtual time pass (only in scenarios that have a Drydock to themselves)
//   @ on worker1: script  a bash script as root on a machine of the cluster
//   anything else         what the command before prints, out and err together, masked as ./output.ts tells
//   [1]                   its exit status, where it isn't 0
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export type Step =
  | {
      readonly kind: 'run' | 'until';
      readonly line: number;
      readonly command: string;
      readonly output: string[];
      readonly status: number;
    }
  | { readonly kind: 'advance'; readonly line: number; readonly seconds: number }
  | {
      readonly kind: 'machine';
      readonly line: number;
      readonly machine: string;
      readonly command: string;
      readonly output: string[];
      readonly status: number;
    };

export interface Scenario {
  /** Such as `rollouts.txt`. */
  readonly file: string;
  readonly title: string;
  readonly steps: readonly Step[];
}

type Draft = { -readonly [K in keyof Extract<Step, { kind: 'machine' }>]: unknown } & {
  command: string;
  output: string[];
  status: number;
};

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** All scenarios of a folder's files. Throws an Error that names file and line where one can't be read. */
export function readScenarios(folder: string): Scenario[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .flatMap((file) => parse(file, readFileSync(path.join(folder, file), 'utf8')));
}

function parse(file: string, text: string): Scenario[] {
  const scenarios: { file: string; title: string; steps: Step[] }[] = [];
  let step: Draft | undefined;
  text.split('\n').forEach((content, index) => {
    const line = index + 1;
    const bad = (why: string): never => {
      throw new Error(`${file}:${line}: ${why}`);
    };
    const steps = scenarios.at(-1)?.steps;
    const sign = content.slice(0, 2);
    const rest = content.slice(2);
    if (sign === '= ') {
      scenarios.push({ file, title: rest, steps: [] });
      step = undefined;
    } else if (steps === undefined) {
      if (content !== '' && sign !== '# ') bad('nothing comes before the first title');
    } else if (sign === '$ ' || sign === '~ ') {
      step = {
        kind: sign === '$ ' ? 'run' : 'until',
        machine: '',
        line,
        command: rest,
        output: [],
        status: 0,
      };
      steps.push(step as Step);
    } else if (sign === '> ' || content === '>') {
      if (step === undefined || step.output.length > 0) return bad('there is no command to go on with');
      step.command += `\n${rest}`;
    } else if (sign === '@ ') {
      step = undefined;
      const advance = /^advance (\d+)([smhd])$/.exec(rest);
      const machine = /^on ([\w-]+): (.*)$/.exec(rest);
      if (advance !== null) {
        steps.push({ kind: 'advance', line, seconds: Number(advance[1]) * UNIT_SECONDS[advance[2]!]! });
      } else if (machine !== null) {
        step = { kind: 'machine', line, machine: machine[1]!, command: machine[2]!, output: [], status: 0 };
        steps.push(step as Step);
      } else bad('it is "@ advance 5m" or "@ on worker1: script"');
    } else if (sign === '# ') {
      return;
    } else if (/^\[\d+\]$/.test(content)) {
      if (step === undefined) return bad('there is no command whose status this is');
      step.status = Number(content.slice(1, -1));
    } else if (step === undefined) {
      if (content !== '') bad('there is no command that could print this');
    } else step.output.push(content.startsWith('\\') ? content.slice(1) : content);
  });
  for (const scenario of scenarios) {
    for (const one of scenario.steps) {
      if (one.kind !== 'advance') while (one.output.at(-1) === '') one.output.pop();
    }
  }
  return scenarios;
}
