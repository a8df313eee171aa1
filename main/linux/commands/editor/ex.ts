// ex(1) without a screen, as scripts use it (`ex -s`, `vim -es`): vi's colon commands on a file, from -c and stdin.
import type { Process } from '../../kernel/index.ts';
import { isViError, runCommand } from './vi/commands.ts';
import { Keys } from './vi/keys.ts';
import { normalCommand } from './vi/normal.ts';
import type { NormalHost } from './vi/pending.ts';
import { Session } from './vi/state.ts';

/** Runs commands on the first file; 1 when any failed. */
export async function runEx(
  proc: Process,
  path: string | undefined,
  commands: readonly string[],
): Promise<number> {
  const keys = new Keys(proc.stdin);
  const session = new Session(proc, keys, undefined);
  session.open(path);
  session.toFirstNonBlank(session.text.lines.length - 1);
  const host = new ScriptHost(session);
  let failed = false;
  const run = async (line: string, following: string[]): Promise<void> => {
    try {
      await host.command(line, following);
    } catch (error) {
      if (!isViError(error)) throw error;
      failed = true;
      session.mode = 'normal';
      keys.dropFed();
    }
  };
  for (const line of commands) if (session.exitCode === undefined) await run(line, []);
  if (session.exitCode === undefined) {
    const queue = (await proc.stdin.readText()).split('\n');
    while (queue.length > 0 && session.exitCode === undefined) await run(queue.shift()!, queue);
  }
  return (session.exitCode ?? 0) || (failed ? 1 : 0);
}

/** What commands ask of a loop that isn't there: what they show goes to stdout, keys come from :normal alone. */
class ScriptHost implements NormalHost {
  private readonly session: Session;
  constructor(session: Session) {
    this.session = session;
  }

  async command(line: string, following: string[] = []): Promise<void> {
    const { session } = this;
    session.text.begin(session.cursor);
    try {
      await runCommand(session, this, line, following);
    } finally {
      session.text.commit(session.nowMs);
    }
  }

  async show(text: string): Promise<void> {
    await this.session.proc.stdout.write(`${text}\n`);
  }

  async type(keys: string): Promise<void> {
    const { session } = this;
    await session.keys.only([...keys], async () => {
      while (session.keys.isRepeating) await normalCommand(session, this);
    });
    if (session.mode.startsWith('visual')) session.mode = 'normal';
  }

  async aside(run: () => Promise<string>): Promise<void> {
    await this.session.proc.stdout.write(await run());
  }

  key(): Promise<string | undefined> {
    return this.session.keys.next();
  }

  async once(): Promise<void> {
    await normalCommand(this.session, this);
  }

  /** A line that :normal types, up to its Return. */
  async prompt(_: string, initial = ''): Promise<string | undefined> {
    let text = initial;
    while (this.session.keys.isRepeating) {
      const key = await this.key();
      if (key === undefined || key === '\r' || key === '<CR>') return text;
      text += key;
    }
    return undefined;
  }

  redraw(): Promise<void> {
    return Promise.resolve();
  }
  suspend(): Promise<void> {
    return Promise.resolve();
  }
}
