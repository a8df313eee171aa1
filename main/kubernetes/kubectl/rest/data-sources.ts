// --from-literal, --from-file and --from-env-file: keys and values for ConfigMaps and Secrets.
import { ErrnoError } from '../../../network/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Process } from '../../../linux/kernel/index.ts';
import type { Invocation } from '../frame/command.ts';

export interface DataEntry {
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** In the order in which kubectl adds them. Throws CommandError in its words. */
export function dataSources(invocation: Invocation): DataEntry[] {
  const { flags } = invocation;
  const envFiles = flags.list('from-env-file');
  if (envFiles.length > 0 && (flags.list('from-file').length > 0 || flags.list('from-literal').length > 0)) {
    throw new CommandError('from-env-file cannot be combined with from-file or from-literal');
  }
  const { proc } = invocation;
  return entriesOf(proc, {
    literals: flags.list('from-literal'),
    files: flags.list('from-file'),
    envFiles,
  });
}

/** Throws CommandError in kubectl's words. */
export function entriesOf(
  proc: Process,
  sources: {
    readonly literals: readonly string[];
    /** `path` or `key=path`. */
    readonly files: readonly string[];
    readonly envFiles: readonly string[];
  },
): DataEntry[] {
  return [
    ...sources.literals.map(literal),
    ...sources.files.flatMap((source) => files(proc, source)),
    ...sources.envFiles.flatMap((path) => envFile(proc, path)),
  ];
}

function literal(source: string): DataEntry {
  const equals = source.indexOf('=');
  if (equals <= 0) throw new CommandError(`invalid literal source ${source}, expected key=value`);
  const quoted = /^(["'])(.*)\1$/s.exec(source.slice(equals + 1));
  return {
    key: source.slice(0, equals),
    bytes: Buffer.from(quoted === null ? source.slice(equals + 1) : quoted[2]!),
  };
}

function files(proc: Process, source: string): DataEntry[] {
  const parts = source.split('=');
  if (source.startsWith('=')) throw new CommandError(`key name for file path ${source.slice(1)} missing`);
  if (source.endsWith('=') && parts.length > 1)
    throw new CommandError(`file path for key name ${source.slice(0, -1)} missing`);
  if (parts.length > 2) throw new CommandError("key names or file paths cannot contain '='");
  const path = parts.at(-1)!;
  const name = path.slice(path.lastIndexOf('/') + 1);
  try {
    if (proc.fs.stat(path).type !== 'directory')
      return [{ key: parts.length === 2 ? parts[0]! : name, bytes: proc.fs.readFile(path) }];
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CommandError(`error reading ${path}: ${error.message.toLowerCase()}`);
  }
  if (parts.length === 2) throw new CommandError('cannot give a key name for a directory path');
  return proc.fs
    .readdir(path)
    .filter(({ type }) => type === 'file')
    .map((entry) => ({
      key: entry.name,
      bytes: proc.fs.readFile(`${path.replace(/\/$/, '')}/${entry.name}`),
    }));
}

function envFile(proc: Process, path: string): DataEntry[] {
  let text: string;
  try {
    text = proc.fs.readText(path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CommandError(`error reading ${path}: ${error.message.toLowerCase()}`);
  }
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .flatMap((raw) => {
      const line = raw.replace(/\r$/, '').trimStart();
      if (line === '' || line.startsWith('#')) return [];
      const equals = line.indexOf('=');
      const key = equals === -1 ? line : line.slice(0, equals);
      if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(key)) {
        throw new CommandError(
          `"${key}" is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')`,
        );
      }
      // A name alone stands for the variable of the environment (util.ProcessEnvFileLine).
      const value = equals === -1 ? (proc.env.get(key) ?? '') : line.slice(equals + 1);
      return [{ key, bytes: Buffer.from(value) }];
    });
}
