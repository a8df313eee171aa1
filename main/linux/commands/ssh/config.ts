// A person's ssh files: ~/.ssh/config with the system's, and the keys that are offered. ssh_config(5).
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../kernel/index.ts';
import type { ConnectOptions } from './client.ts';

const KEY_FILES = ['id_rsa', 'id_ecdsa', 'id_ed25519'];

function homeOf({ env }: Process): string {
  return env.get('HOME') ?? '/';
}

/** Settings for a host as it was typed, by lower-case name: of each the first that applies. */
export function readConfig(proc: Process, host: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of [`${homeOf(proc)}/.ssh/config`, '/etc/ssh/ssh_config']) {
    let applies = true;
    for (const line of read(proc, path).split('\n')) {
      const match = /^\s*(\w+)(?:\s*=\s*|\s+)"?(.*?)"?\s*$/.exec(line);
      if (match === null) continue;
      const [name, value] = [match[1]!.toLowerCase(), match[2]!];
      if (name === 'host') applies = hostMatches(value, host);
      else if (name === 'match') applies = value === 'all';
      else if (applies && !found.has(name)) found.set(name, value);
    }
  }
  return found;
}

function hostMatches(patterns: string, host: string): boolean {
  const fits = (pattern: string): boolean =>
    new RegExp(
      `^${pattern
        .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    ).test(host);
  const words = patterns.split(/\s+/);
  if (words.some((word) => word.startsWith('!') && fits(word.slice(1)))) return false;
  return words.some((word) => !word.startsWith('!') && fits(word));
}

function read(proc: Process, path: string): string {
  try {
    return proc.fs.readText(path);
  } catch (error) {
    if (error instanceof ErrnoError) return '';
    throw error;
  }
}

/** Private keys that would be tried: those named, else the usual ones. */
export function identityFiles(proc: Process, { settings, identities = [] }: ConnectOptions): string[] {
  const home = homeOf(proc);
  const configured = settings.get('identityfile');
  const named = [...identities, ...(configured === undefined ? [] : [configured])].map((path) =>
    path.replace(/^~(?=\/)/, home),
  );
  return named.length > 0 ? named : KEY_FILES.map((name) => `${home}/.ssh/${name}`);
}

/** The public halves, in base64, of private keys that are there. */
export function publicKeys(proc: Process, files: readonly string[]): string[] {
  return files
    .filter((path) => proc.fs.exists(path))
    .flatMap((path) => read(proc, `${path}.pub`).split(/\s+/).slice(1, 2))
    .filter((key) => key !== '');
}
