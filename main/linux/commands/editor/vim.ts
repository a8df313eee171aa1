// vim(1), vi, view and nano: the editor of the terminal's pane where there is one, else vi on the terminal itself.
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { runEx } from './ex.ts';
import { editorSocket, type EditorService } from './service.ts';
import { runVi } from './vi/vi.ts';

interface EditorArguments {
  readonly files: string[];
  readonly line: number | undefined;
  readonly readOnly: boolean;
  /** -es, -Es, ex -s: commands from stdin, no screen. */
  readonly silent: boolean;
  readonly commands: string[];
}

function parseArguments(argv: readonly string[], name: string): EditorArguments {
  const files: string[] = [];
  const commands: string[] = [];
  let line: number | undefined;
  let readOnly = name === 'view';
  let ex = name === 'ex';
  let silent = false;
  for (let i = 1; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--') {
      files.push(...argv.slice(i + 1));
      break;
    }
    if (/^\+\d*$/.test(arg)) line = Number(arg.slice(1) || Infinity);
    else if (arg.startsWith('+')) commands.push(arg.slice(1));
    else if (arg === '-c' || arg === '--cmd') commands.push(argv[++i] ?? '');
    else if (/^-[A-Za-z]+$/.test(arg)) {
      if (arg.includes('R')) readOnly = true;
      if (/[eE]/.test(arg)) ex = true;
      if (arg.includes('s') && ex) silent = true;
      if (/^-(?:u|i|T|w)$/.test(arg)) i++;
    } else if (!arg.startsWith('-')) files.push(arg);
  }
  return { files, line, readOnly, silent, commands };
}

function editorProgram(editor: 'vim' | 'nano'): Program {
  return async (proc) => {
    const name = proc.argv[0]!.slice(proc.argv[0]!.lastIndexOf('/') + 1);
    const args = parseArguments(proc.argv, name);
    if (proc.argv.includes('--version')) {
      await proc.stdout.write(
        editor === 'nano' ? ' GNU nano, version 7.2\n' : 'VIM - Vi IMproved 9.0 (2022 Jun 28)\n',
      );
      return 0;
    }
    if (args.silent) return runEx(proc, args.files[0], args.commands);
    let service: EditorService | undefined;
    try {
      service = proc.kernel.connectService(editorSocket);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
    }
    const { tty } = proc.stdin;
    if (tty === undefined || proc.stdout.tty === undefined) {
      await proc.stderr.write(
        `drydock: ${name} without a terminal isn't simulated; ed and ex -s edit in scripts\n`,
      );
      return 1;
    }
    if (service?.shows(tty) !== true) {
      if (editor === 'vim') return runVi(proc, tty, args);
      await proc.stderr.write("drydock: nano is only simulated in a pane's own terminal; here there is vi\n");
      return 1;
    }
    const files = args.files.length > 0 ? args.files : [''];
    for (const file of files) {
      const exitCode = await edit(proc, service, editor, name, file, args);
      if (exitCode !== 0) return exitCode;
    }
    return 0;
  };
}

async function edit(
  proc: Process,
  service: EditorService,
  editor: 'vim' | 'nano',
  name: string,
  file: string,
  args: EditorArguments,
): Promise<number> {
  const { fs } = proc;
  const path = fs.resolve(file);
  let content = '';
  const isNew = file === '' || !fs.exists(path);
  if (!isNew) {
    if (fs.stat(path).type === 'directory') {
      await proc.stderr.write(
        editor === 'nano' ? `"${file}" is a directory\n` : `"${file}" is a directory\n`,
      );
      return 1;
    }
    try {
      content = fs.readText(path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      await proc.stderr.write(`${name}: "${file}" ${error.message}\n`);
      return 1;
    }
  }
  const save = (text: string): string | undefined => {
    try {
      fs.writeFile(path, text);
      return undefined;
    } catch (error) {
      if (error instanceof ErrnoError) return error.message;
      throw error;
    }
  };
  const readOnly = args.readOnly || (!isNew && !fs.access(path, { write: true }));
  const { exitCode } = await proc.interruptible(
    service.edit({
      path,
      content,
      isNew,
      readOnly,
      editor,
      tty: proc.stdin.tty!,
      line: args.line,
      save,
      signal: proc.signal,
    }),
  );
  return exitCode;
}

/** vim, vi, view; `vim -es` and `ex -s` run ex commands without a screen. */
export const vim: Program = editorProgram('vim');
/** nano */
export const nano: Program = editorProgram('nano');
