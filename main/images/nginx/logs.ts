// nginx's logs: files opened once and written in order, levels, and lines of a log_format.
import { ErrnoError } from '../../network/index.ts';
import type { OpenFile, Process } from '../../linux/kernel/index.ts';
import { toBody, toText } from './bytes.ts';
import type { Exchange } from './exchange.ts';
import type { AccessLog, ErrorLog, LogLevel } from './settings.ts';
import { fill, type Scope, type Template } from './template.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'];

export class Logs {
  private readonly proc: Process;
  private readonly files = new Map<string, OpenFile>();
  private readonly writing = new Map<string, Promise<void>>();

  constructor(proc: Process) {
    this.proc = proc;
  }

  /** One line of the error log, wherever the level is wanted. */
  error(logs: readonly ErrorLog[], level: LogLevel, pid: number, message: string): void {
    const line = `${timestamp(this.proc.clock.now())} [${level}] ${pid}#${pid}: ${message}\n`;
    for (const log of logs)
      if (LEVELS.indexOf(level) >= LEVELS.indexOf(log.level)) this.write(log.path, line);
  }

  access(log: AccessLog, scope: Scope): void {
    if (log.condition !== undefined) {
      const condition = fill(log.condition, scope);
      if (condition === '' || condition === '0') return;
    }
    this.write(fill(log.path, scope), `${fillLog(log.format.template, log.format.escape, scope)}\n`);
  }

  /** Lines reach each log in the order they were written, though nobody waits for them. */
  private write(path: string, text: string): void {
    if (path.startsWith('syslog:') || path.startsWith('memory:')) return; // Nobody listens there.
    const before = this.writing.get(path) ?? Promise.resolve();
    const line = before.then(async () => {
      try {
        await this.file(path).write(toBody(text));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error; // The disk is full, or the reader is gone.
      }
    });
    this.writing.set(path, line);
    line.catch(() => undefined); // The process has ended.
  }

  private file(path: string): OpenFile {
    if (path === 'stderr') return this.proc.stderr;
    let file = this.files.get(path);
    if (file === undefined) {
      file = this.proc.fs.open(toText(path), { write: true, append: true, create: true }, 0o640);
      this.files.set(path, file);
    }
    return file;
  }

  /** USR1: files that were moved away are made anew. */
  reopen(): void {
    this.files.clear();
  }

  /** Opens what isn't there yet, as a master does at its start. Throws ErrnoError. */
  open(path: string): void {
    if (path !== 'stderr' && !path.startsWith('syslog:') && !path.startsWith('memory:')) this.file(path);
  }
}

/** `2026/11/20 16:43:03`. */
export function timestamp(ms: number): string {
  return new Date(Math.floor(ms)).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
}

/** What follows a message about a request in the error log. */
export function requestContext(exchange: Exchange): string {
  const { head } = exchange;
  const host = exchange.header('Host');
  const referer = exchange.header('Referer');
  const name = exchange.server.names[0]!.text;
  return (
    `, client: ${exchange.clientAddress}, server: ${name}` +
    (head.line === '' ? '' : `, request: "${head.line}"`) +
    (exchange.isSubrequest ? `, subrequest: "${exchange.uri}"` : '') +
    (host === undefined ? '' : `, host: "${host}"`) +
    (referer === undefined ? '' : `, referrer: "${referer}"`)
  );
}

/** A log line: values that aren't there show as a dash, and what could break the line is escaped. */
function fillLog(template: Template, escape: 'default' | 'json' | 'none', scope: Scope): string {
  let text = '';
  for (const part of template) {
    if (typeof part === 'string') text += part;
    else {
      const value = /^\d$/.test(part.name) ? scope.capture(Number(part.name)) : scope.get(part.name);
      if (value === undefined) text += escape === 'default' ? '-' : '';
      else
        text +=
          escape === 'none' ? value : escape === 'json' ? JSON.stringify(value).slice(1, -1) : escaped(value);
    }
  }
  return text;
}

function escaped(value: string): string {
  return value.replaceAll(
    /[^\u0020-\u007e]|["\\]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
