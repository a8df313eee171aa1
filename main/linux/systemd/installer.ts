// What enable, disable, mask and set-default do: symbolic links below /etc/systemd/system. systemctl(1), Unit File Commands.
import type { FileSystemView } from '../kernel/index.ts';
import { UnitError, type LinkChange } from './systemd.ts';
import { templateOf, unitName } from './unit-file.ts';
import { LINKS, type UnitStore } from './unit-store.ts';

const RUNTIME = '/run/systemd/system';

/** undefined: [Install] has nothing to do. */
export function enableUnit(
  files: FileSystemView,
  store: UnitStore,
  given: string,
  runtime = false,
): LinkChange[] | undefined {
  const changes: LinkChange[] = [];
  const directory = runtime ? RUNTIME : LINKS;
  let name = unitName(given);
  if (given.startsWith('/')) {
    name = given.slice(given.lastIndexOf('/') + 1);
    if (!files.exists(given)) throw missing(given);
    link(files, `${directory}/${name}`, given, changes);
  }
  return enableNamed(files, store, name, directory, changes, new Set()) ? changes : undefined;
}

function enableNamed(
  files: FileSystemView,
  store: UnitStore,
  name: string,
  directory: string,
  changes: LinkChange[],
  seen: Set<string>,
): boolean {
  seen.add(name);
  const found = store.find(name);
  if (found === undefined) throw missing(name);
  if (found.masked) throw new UnitError('masked', name, `Unit file ${LINKS}/${name} is masked.`);
  const install = store.install(found.path, found.id);
  if (install === undefined) return false;
  const isTemplate = name.includes('@.');
  const instance =
    isTemplate && install.instance !== undefined ? name.replace('@.', `@${install.instance}.`) : name;
  for (const alias of install.aliases) link(files, `${directory}/${alias}`, found.path, changes);
  for (const place of install.links)
    if (!isTemplate || install.instance !== undefined)
      link(files, `${directory}/${place}/${instance}`, found.path, changes);
  for (const other of install.also.map(unitName))
    if (!seen.has(other) && store.find(other) !== undefined)
      enableNamed(files, store, other, directory, changes, seen);
  return true;
}

function missing(name: string): UnitError {
  return new UnitError('not-found', name, `Unit file ${name} does not exist.`);
}

function link(files: FileSystemView, path: string, target: string, changes: LinkChange[]): void {
  files.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
  if (isLink(files, path)) {
    if (files.readlink(path) === target) return;
    files.unlink(path);
    changes.push({ removed: path });
  }
  files.symlink(target, path);
  changes.push({ made: path, target });
}

function isLink(files: FileSystemView, path: string): boolean {
  const directory = path.slice(0, path.lastIndexOf('/'));
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    files.exists(directory) &&
    files.readdir(directory).some((entry) => entry.name === name && entry.type === 'symlink')
  );
}

export function disableUnit(files: FileSystemView, store: UnitStore, given: string): LinkChange[] {
  const name = given.startsWith('/') ? given.slice(given.lastIndexOf('/') + 1) : unitName(given);
  const found = store.find(name);
  const install = found === undefined ? undefined : store.install(found.path, name);
  const links = [LINKS, RUNTIME].flatMap((directory) =>
    store.linksOf(directory, name, install?.aliases ?? []),
  );
  // A unit that is itself only linked from elsewhere goes altogether.
  const own = `${LINKS}/${name}`;
  if (isLink(files, own) && files.readlink(own) !== '/dev/null' && !links.includes(own)) links.push(own);
  if (found === undefined && links.length === 0) throw missing(name);
  for (const path of links) files.unlink(path);
  const others = (install?.also ?? []).map(unitName).filter((other) => store.find(other) !== undefined);
  return [
    ...links.map((removed) => ({ removed })),
    ...others.flatMap((other) =>
      store.linksOf(LINKS, other, []).map((removed) => {
        files.unlink(removed);
        return { removed };
      }),
    ),
  ];
}

export function maskUnit(files: FileSystemView, store: UnitStore, name: string): LinkChange[] {
  const path = `${LINKS}/${name}`;
  if (store.enabled(name) === 'masked') return [];
  if (store.typeOf(path) !== undefined) throw new UnitError('failed', name, `File ${path} already exists.`);
  files.symlink('/dev/null', path);
  return [{ made: path, target: '/dev/null' }];
}

export function unmaskUnit(files: FileSystemView, name: string): LinkChange[] {
  return [LINKS, RUNTIME]
    .map((directory) => `${directory}/${name}`)
    .filter((path) => isLink(files, path) && files.readlink(path) === '/dev/null')
    .map((removed) => {
      files.unlink(removed);
      return { removed };
    });
}

export function setDefault(
  files: FileSystemView,
  store: UnitStore,
  given: string,
  path: string,
): LinkChange[] {
  const name = given.includes('.') ? given : `${given}.target`;
  const found = store.find(name) ?? store.find(templateOf(name) ?? name);
  if (found === undefined) throw missing(name);
  if (!name.endsWith('.target')) throw new UnitError('failed', name, `Invalid argument`);
  const changes: LinkChange[] = [];
  link(files, path, found.path, changes);
  return changes;
}
