// What all of ip's objects share: the options of a run, its errors, JSON.
import type { Process } from '../../kernel/index.ts';
import { Output } from '../frame/output.ts';

/** What a run of ip was asked for in general, and where it prints. */
export interface IpContext {
  readonly proc: Process;
  readonly out: Output;
  family: 4 | 6 | undefined;
  brief: boolean;
  details: boolean;
  statistics: number;
  json: boolean;
  pretty: boolean;
  oneline: boolean;
  color: boolean;
}

/** A run that was given no options yet. */
export function makeIpContext(proc: Process): IpContext {
  return {
    proc,
    out: new Output(proc, proc.stdout),
    family: undefined,
    brief: false,
    details: false,
    statistics: 0,
    json: false,
    pretty: false,
    oneline: false,
    color: false,
  };
}

/** A refusal in ip's words, with its exit status. */
export class IpError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Prints rows as ip -j does. */
export async function printJson(context: IpContext, rows: readonly unknown[]): Promise<void> {
  if (!context.pretty) return void (await context.out.line(JSON.stringify(rows)));
  const render = (value: unknown, depth: number): string => {
    const pad = ' '.repeat(8 * depth);
    if (Array.isArray(value)) {
      if (value.length === 0) return '[ ]';
      if (value.every((one) => typeof one !== 'object'))
        return `[ ${value.map((one) => JSON.stringify(one)).join(',')} ]`;
      return `[ ${value.map((one) => render(one, depth)).join(',')} ]`;
    }
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const inner = Object.entries(value).map(
      ([key, one]) => `${pad}        ${JSON.stringify(key)}: ${render(one, depth + 1)}`,
    );
    return `{\n${inner.join(',\n')}\n${pad}    }`;
  };
  await context.out.line(render(rows, 0));
}

/** The device of `dev X` (or a bare name). Throws IpError. */
export function requireDevice(
  context: IpContext,
  name: string,
  exitCode = 1,
): NonNullable<ReturnType<Process['net']['links']['get']>> {
  const link = context.proc.net.links.get(name);
  if (link === undefined) throw new IpError(`Cannot find device "${name}"`, exitCode);
  return link;
}
