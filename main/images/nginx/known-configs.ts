// Configurations that have been read before: all pods of a Deployment read the same files and may share what they say.
import { compile } from './compile.ts';
import { parseConfig, parseGlobals, type Directive, type ReadFiles } from './config.ts';
import type { NginxSettings } from './settings.ts';

export interface Config {
  readonly settings: NginxSettings;
  readonly directives: readonly Directive[];
  /** Every file read, in order. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** A configuration with all that was read for it. */
interface Known extends Config {
  readonly key: string;
  readonly reads: readonly { readonly pattern: string; readonly found: string }[];
}

const KNOWN_MAX = 32;
/** --prefix of the images' builds. */
const PREFIX = '/etc/nginx/';
const known: Known[] = [];

/** What the file and everything it includes says, and the directives of `-g`. Throws ConfigError. */
export function readConfig(path: string, globals: string, readFiles: ReadFiles): Config {
  const key = `${path}\n${globals}`;
  const same = known.find((config) => config.key === key && holds(config, readFiles));
  if (same !== undefined) return same;
  const reads: Known['reads'][number][] = [];
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const more = globals === '' ? [] : parseGlobals(globals);
  const { directives, files } = parseConfig(
    path,
    (pattern) => {
      const found = readFiles(pattern);
      reads.push({ pattern, found: JSON.stringify(found) });
      return found;
    },
    folder,
  );
  const all = [...more, ...directives];
  const config: Known = { key, reads, settings: compile(all, PREFIX), directives: all, files };
  known.unshift(config);
  known.length = Math.min(known.length, KNOWN_MAX);
  return config;
}

function holds({ reads }: Known, readFiles: ReadFiles): boolean {
  return reads.every(({ pattern, found }) => JSON.stringify(readFiles(pattern)) === found);
}
