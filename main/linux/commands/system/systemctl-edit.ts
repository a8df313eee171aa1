// `systemctl edit`: a drop-in (or with --full the unit file) opened in the person's editor. systemctl(1).
import type { Process } from '../../kernel/index.ts';
import type { UnitStatus } from '../../systemd/index.ts';
import { runChild, statusNumber } from '../frame/child.ts';
import { Failure } from '../frame/command.ts';

export interface EditOptions {
  readonly full: boolean;
  readonly runtime: boolean;
  /** --stdin: the new content comes from there. */
  readonly fromStdin: boolean;
  readonly dropIn: string | undefined;
}

const ABOVE = '### Anything between here and the comment below will become the contents of the drop-in file';
const BELOW = '### Edits below this comment will be discarded';

/** Throws Failure with what went wrong. */
export async function editUnits(
  proc: Process,
  units: readonly UnitStatus[],
  options: EditOptions,
): Promise<number> {
  for (const unit of units) {
    const path = pathOf(unit, options);
    if (options.fromStdin) {
      write(proc, path, await proc.stdin.readText());
      continue;
    }
    const draft = `${path.slice(0, path.lastIndexOf('/'))}/.#${path.slice(path.lastIndexOf('/') + 1)}${proc.pid}`;
    write(proc, draft, template(proc, unit, path, options.full));
    const end = await runChild(proc, { argv: [...editorOf(proc), draft] });
    if (statusNumber(end) !== 0) {
      proc.fs.unlink(draft);
      throw new Failure(`Editor ${editorOf(proc)[0]} exited with status ${statusNumber(end)}.`);
    }
    const text = options.full ? proc.fs.readText(draft) : between(proc.fs.readText(draft));
    proc.fs.unlink(draft);
    if (text.trim() === '') throw new Failure(`Editing "${path}" canceled: temporary file is empty.`);
    write(proc, path, text);
    await proc.stderr.write(`Successfully installed edited file '${path}'.\n`);
  }
  return 0;
}

function pathOf({ name }: UnitStatus, { full, runtime, dropIn }: EditOptions): string {
  const directory = runtime ? '/run/systemd/system' : '/etc/systemd/system';
  if (full) return `${directory}/${name}`;
  const file = dropIn === undefined ? 'override.conf' : dropIn.endsWith('.conf') ? dropIn : `${dropIn}.conf`;
  return `${directory}/${name}.d/${file}`;
}

function template({ fs }: Process, unit: UnitStatus, path: string, full: boolean): string {
  const text = (file: string): string => (fs.exists(file) ? fs.readText(file) : '');
  if (full) return fs.exists(path) ? text(path) : text(unit.fragmentPath);
  const shown = [unit.fragmentPath, ...unit.dropIns]
    .filter((file) => file !== '' && file !== path)
    .map(
      (file) =>
        `\n### ${file}\n${text(file)
          .trimEnd()
          .split('\n')
          .map((line) => `# ${line}`)
          .join('\n')}\n`,
    );
  return `### Editing ${path}\n${ABOVE}\n\n${text(path)}\n\n${BELOW}\n${shown.join('')}`;
}

function between(text: string): string {
  const from = text.indexOf(ABOVE);
  const to = text.indexOf(BELOW);
  const body = text.slice(from < 0 ? 0 : from + ABOVE.length, to < 0 ? undefined : to);
  return body.trim() === '' ? '' : `${body.trim()}\n`;
}

function editorOf({ env }: Process): string[] {
  const named = env.get('SYSTEMD_EDITOR') ?? env.get('EDITOR') ?? env.get('VISUAL') ?? 'vim';
  return named.split(' ').filter((word) => word !== '');
}

function write({ fs }: Process, path: string, text: string): void {
  fs.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
  fs.writeFile(path, text);
}
