// Configurations that have been read before: all pods of a Deployment read the same files and may share what they say.
import { parseConfig, type Directive } from './config.ts';
import { readSettings, type NginxSettings } from './settings.ts';

interface File {
  readonly path: string;
  readonly text: string;
}

/** The files that a pattern names. */
export type ReadFiles = (pattern: string) => readonly File[];

export interface Config {
  readonly settings: NginxSettings;
  readonly directives: readonly Directive[];
}

/** A configuration with all that was read for it. */
interface Known extends Config {
  readonly path: string;
  readonly globals: string;
  readonly reads: readonly { readonly pattern: string; readonly files: readonly File[] }[];
}

const KNOWN_MAX = 32;
const known: Known[] = [];

/** What the file and everything it includes says, and the directives of `-g`. Throws ConfigError. */
export function readConfig(path: string, globals: string, readFiles: ReadFiles): Config {
  const same = known.find(
    (config) => config.path === path && config.globals === globals && holds(config, readFiles),
  );
  if (same !== undefined) return same;
  const reads: Known['reads'][number][] = [];
  const directives = parseConfig(path, (pattern) => {
    const files = readFiles(pattern);
    reads.push({ pattern, files });
    return files;
  });
  const more = globals === '' ? [] : parseConfig('-g', () => [{ path: 'command line', text: globals }]);
  const all = [...directives, ...more];
  const config: Known = { path, globals, reads, settings: readSettings(all), directives: all };
  known.unshift(config);
  known.length = Math.min(known.length, KNOWN_MAX);
  return config;
}

function holds({ reads }: Known, readFiles: ReadFiles): boolean {
  return reads.every(({ pattern, files }) => {
    const now = readFiles(pattern);
    return (
      now.length === files.length &&
      now.every(({ path, text }, at) => path === files[at]!.path && text === files[at]!.text)
    );
  });
}
