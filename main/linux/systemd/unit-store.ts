// Where unit files lie, which of them makes a unit, and what a unit's links in *.wants say. systemd.unit(5), UNIT FILE LOAD PATH.
import { ErrnoError } from '../../network/index.ts';
import type { FileSystemView } from '../kernel/index.ts';
import {
  nameParts,
  parseUnitFile,
  specifierExpander,
  templateOf,
  UnitConfig,
  type Setting,
} from './unit-file.ts';

/** Administrators' files; what comes first wins. */
export const LINKS = '/etc/systemd/system';
const RUNTIME = '/run/systemd/system';
const PATHS: readonly string[] = [LINKS, RUNTIME, '/usr/local/lib/systemd/system', '/usr/lib/systemd/system'];
const PRESETS: readonly string[] = [
  '/etc/systemd/system-preset',
  '/run/systemd/system-preset',
  '/usr/lib/systemd/system-preset',
];

export interface LoadedUnit {
  /** The name it goes by: an alias's target. */
  readonly id: string;
  readonly state: 'loaded' | 'not-found' | 'masked';
  readonly fragmentPath: string;
  readonly dropIns: readonly string[];
  readonly config: UnitConfig;
  /** Changes whenever a file that makes the unit does. */
  readonly signature: string;
  readonly complaints: readonly string[];
}

export type EnabledState =
  | 'enabled'
  | 'enabled-runtime'
  | 'disabled'
  | 'static'
  | 'masked'
  | 'masked-runtime'
  | 'linked'
  | 'alias'
  | 'indirect';

interface Found {
  readonly id: string;
  readonly path: string;
  readonly masked: boolean;
}

export class UnitStore {
  private readonly files: FileSystemView;
  private readonly hostname: () => string;

  constructor(files: FileSystemView, hostname: () => string) {
    this.files = files;
    this.hostname = hostname;
  }

  load(name: string): LoadedUnit {
    const found = this.find(name);
    if (found === undefined || found.masked)
      return {
        id: name,
        state: found === undefined ? 'not-found' : 'masked',
        fragmentPath: found === undefined ? '' : found.path,
        dropIns: [],
        config: new UnitConfig([]),
        signature: this.signatureOf(found === undefined ? [] : [found.path]),
        complaints: [],
      };
    const dropIns = this.dropIns(found.id);
    const settings: Setting[] = [];
    const complaints: string[] = [];
    for (const path of [found.path, ...dropIns]) {
      const parsed = parseUnitFile(this.text(path), path);
      settings.push(...parsed.settings);
      complaints.push(...parsed.complaints);
    }
    const expand = specifierExpander(found.id, {
      hostname: this.hostname(),
      machineId: () => this.text('/etc/machine-id').trim(),
    });
    return {
      id: found.id,
      state: 'loaded',
      fragmentPath: found.path,
      dropIns,
      config: new UnitConfig(settings, expand),
      signature: this.signatureOf([found.path, ...dropIns]),
      complaints,
    };
  }

  /** What `load` would see now, to tell whether a unit must be loaded again. */
  signature(name: string): string {
    const found = this.find(name);
    if (found === undefined || found.masked) return this.signatureOf(found === undefined ? [] : [found.path]);
    return this.signatureOf([found.path, ...this.dropIns(found.id)]);
  }

  /** Times alone would miss what is changed twice in one instant. */
  private signatureOf(paths: readonly string[]): string {
    return paths.map((path) => `${path} ${this.files.stat(path).modifyMs}\n${this.text(path)}`).join('\n');
  }

  find(name: string): Found | undefined {
    for (const wanted of [name, templateOf(name)]) {
      if (wanted === undefined) continue;
      for (const directory of PATHS) {
        const path = `${directory}/${wanted}`;
        const type = this.typeOf(path);
        if (type === 'file') return { id: name, path, masked: false };
        if (type !== 'symlink') continue;
        const target = this.files.readlink(path);
        if (target === '/dev/null') return { id: name, path, masked: true };
        const real = this.files.exists(path) ? this.files.realpath(path) : undefined;
        if (real === undefined) continue;
        const file = real.slice(real.lastIndexOf('/') + 1);
        if (file === wanted) return { id: name, path: real, masked: false };
        // An alias: the unit goes by its file's name.
        const { instance } = nameParts(name);
        const id = file.includes('@.') && instance !== undefined ? file.replace('@.', `@${instance}.`) : file;
        return { id, path: real, masked: false };
      }
    }
    return undefined;
  }

  private dropIns(name: string): string[] {
    const template = templateOf(name);
    const { suffix } = nameParts(name);
    const byName = new Map<string, string>();
    for (const directory of [...PATHS].reverse())
      for (const unit of [suffix, ...(template === undefined ? [] : [template]), name])
        for (const file of this.names(`${directory}/${unit}.d`))
          if (file.endsWith('.conf')) byName.set(file, `${directory}/${unit}.d/${file}`);
    return Array.from(byName)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, path]) => path);
  }

  /** Units that a `.wants` or `.requires` directory links to a unit. */
  linked(name: string, kind: 'wants' | 'requires'): string[] {
    const names = new Set<string>();
    for (const directory of PATHS)
      for (const file of this.names(`${directory}/${name}.${kind}`)) names.add(file);
    return Array.from(names);
  }

  /** Names of all unit files, templates and aliases too. */
  list(): string[] {
    const names = new Set<string>();
    for (const directory of PATHS)
      for (const name of this.names(directory))
        if (/\.(?:service|target|timer|socket|mount|slice|path)$/.test(name)) names.add(name);
    return Array.from(names).sort();
  }

  enabled(name: string): EnabledState {
    for (const [directory, state] of [
      [LINKS, 'masked'],
      [RUNTIME, 'masked-runtime'],
    ] as const)
      if (this.isLinkTo(`${directory}/${name}`, '/dev/null')) return state;
    const own = this.typeOf(`${LINKS}/${name}`);
    const found = this.find(name);
    if (found !== undefined && found.id !== name) return 'alias';
    const install = found === undefined ? undefined : this.install(found.path, name);
    if (this.linksOf(LINKS, name, install?.aliases ?? []).length > 0) return 'enabled';
    if (this.linksOf(RUNTIME, name, []).length > 0) return 'enabled-runtime';
    if (own === 'symlink') return 'linked';
    if (install === undefined) return 'static';
    return install.links.length === 0 && install.also.length > 0 ? 'indirect' : 'disabled';
  }

  /** Links below a directory that enable a unit. */
  linksOf(directory: string, name: string, aliases: readonly string[]): string[] {
    const links = this.names(directory)
      .filter((entry) => /\.(?:wants|requires)$/.test(entry))
      .flatMap((entry) => {
        const path = `${directory}/${entry}/${name}`;
        const isTemplate = name.includes('@.');
        if (!isTemplate) return this.typeOf(path) === undefined ? [] : [path];
        const [head, tail] = name.split('@.') as [string, string];
        return this.names(`${directory}/${entry}`)
          .filter((one) => one.startsWith(`${head}@`) && one.endsWith(`.${tail}`))
          .map((one) => `${directory}/${entry}/${one}`);
      });
    const also = aliases
      .map((alias) => `${directory}/${alias}`)
      .filter((path) => this.typeOf(path) === 'symlink');
    return [...links, ...also];
  }

  /** What [Install] says, or undefined where there is nothing to say. */
  install(
    path: string,
    name: string,
  ):
    | {
        links: readonly string[];
        aliases: readonly string[];
        also: readonly string[];
        instance: string | undefined;
      }
    | undefined {
    const expand = specifierExpander(name, { hostname: this.hostname(), machineId: () => '' });
    const settings = [path, ...this.dropIns(name)].flatMap(
      (one) => parseUnitFile(this.text(one), one).settings,
    );
    const config = new UnitConfig(settings, expand);
    const links = [
      ...config.words('Install', 'WantedBy').map((target) => `${target}.wants`),
      ...config.words('Install', 'RequiredBy').map((target) => `${target}.requires`),
    ];
    const aliases = config.words('Install', 'Alias');
    const also = config.words('Install', 'Also');
    if (links.length + aliases.length + also.length === 0) return undefined;
    return { links, aliases, also, instance: config.value('Install', 'DefaultInstance') };
  }

  /** systemd.preset(5): the first line that matches; enabled where none does. */
  preset(name: string): 'enabled' | 'disabled' {
    const byName = new Map<string, string>();
    for (const directory of [...PRESETS].reverse())
      for (const file of this.names(directory))
        if (file.endsWith('.preset')) byName.set(file, `${directory}/${file}`);
    for (const [, path] of Array.from(byName).sort(([a], [b]) => (a < b ? -1 : 1)))
      for (const line of this.text(path).split('\n')) {
        const [verb, pattern] = line.trim().split(/\s+/);
        if (verb !== 'enable' && verb !== 'disable') continue;
        if (pattern !== undefined && globMatches(pattern, name)) return `${verb}d`;
      }
    return 'enabled';
  }

  private isLinkTo(path: string, target: string): boolean {
    return this.typeOf(path) === 'symlink' && this.files.readlink(path) === target;
  }

  typeOf(path: string): 'file' | 'symlink' | 'directory' | undefined {
    try {
      const { type } = this.files.lstat(path);
      return type === 'symlink' || type === 'directory' ? type : 'file';
    } catch (error) {
      if (error instanceof ErrnoError) return undefined;
      throw error;
    }
  }

  private names(directory: string): string[] {
    try {
      return this.files.readdir(directory).map(({ name }) => name);
    } catch (error) {
      if (error instanceof ErrnoError) return [];
      throw error;
    }
  }

  private text(path: string): string {
    try {
      return this.files.readText(path);
    } catch (error) {
      if (error instanceof ErrnoError) return '';
      throw error;
    }
  }
}

function globMatches(pattern: string, name: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}
