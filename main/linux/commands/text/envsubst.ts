// envsubst(1) of GNU gettext: replaces $NAME and ${NAME} in stdin by the environment's values.
import type { Program } from '../../kernel/index.ts';
import { readAll } from '../frame/input.ts';

const USAGE = `Usage: envsubst [OPTION] [SHELL-FORMAT]

Substitutes the values of environment variables.

Operation mode:
  -v, --variables             output the variables occurring in SHELL-FORMAT

Informative output:
  -h, --help                  display this help and exit
  -V, --version               output version information and exit

In normal operation mode, standard input is copied to standard output,
with references to environment variables of the form $VARIABLE or \${VARIABLE}
being replaced with the corresponding values.  If a SHELL-FORMAT is given,
only those environment variables that are referenced in SHELL-FORMAT are
substituted; otherwise all environment variables references occurring in
standard input are substituted.
`;
const REFERENCE = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g;

function namesIn(format: string): string[] {
  return [...format.matchAll(REFERENCE)].map(([, plain, braced]) => plain ?? braced!);
}

/** envsubst(1) */
export const envsubst: Program = async (proc) => {
  const args = proc.argv.slice(1);
  if (args[0] === '--help' || args[0] === '-h') {
    await proc.stdout.write(USAGE);
    return 0;
  }
  if (args[0] === '--version' || args[0] === '-V') {
    await proc.stdout.write('envsubst (GNU gettext-runtime) 0.21\n');
    return 0;
  }
  const shows = args[0] === '-v' || args[0] === '--variables';
  const operands = shows ? args.slice(1) : args;
  const bad = operands.find((word) => word.startsWith('-') && word !== '-');
  if (bad !== undefined || operands.length > 1) {
    await proc.stderr.write(
      bad === undefined
        ? 'envsubst: too many arguments\n'
        : `envsubst: invalid option -- '${bad.replace(/^-+/, '').charAt(0)}'\nTry 'envsubst --help' for more information.\n`,
    );
    return 1;
  }
  if (shows) {
    if (operands[0] === undefined) {
      await proc.stderr.write('envsubst: missing arguments\n');
      return 1;
    }
    await proc.stdout.write([...new Set(namesIn(operands[0]))].map((name) => `${name}\n`).join(''));
    return 0;
  }
  const wanted = operands[0] === undefined ? undefined : new Set(namesIn(operands[0]));
  const input = Buffer.from(await readAll(proc.stdin)).toString('latin1');
  const output = input.replaceAll(REFERENCE, (whole, plain?: string, braced?: string) => {
    const name = plain ?? braced!;
    if (wanted !== undefined && !wanted.has(name)) return whole;
    return Buffer.from(proc.env.get(name) ?? '').toString('latin1');
  });
  await proc.stdout.write(Buffer.from(output, 'latin1'));
  return 0;
};
