// Someone at a machine's terminal: types, waits a while, and reads what came.
import type { TestCluster } from './make-cluster.ts';

export interface Typist {
  /** Types a line, waits (a second unless told) and returns what appeared since, colours and bracketed paste aside. */
  type(line: string, waitMs?: number): Promise<string>;
  /** The same without Enter: keys such as \x03. */
  press(keys: string, waitMs?: number): Promise<string>;
}

/** Logs in as root at a new terminal. */
export async function sitDown(
  world: TestCluster,
  machine = 'master1',
  size = { columns: 120, rows: 40 },
): Promise<Typist> {
  const host = world.cluster.requireMachine(machine);
  const tty = host.kernel.openTty(size);
  host.login({ user: 'root', tty });
  let seen = '';
  const decoder = new TextDecoder();
  const read = async (): Promise<void> => {
    for (let bytes = await tty.output(); bytes !== undefined; bytes = await tty.output())
      seen += decoder.decode(bytes, { stream: true });
  };
  void read();
  const press = async (keys: string, waitMs = 1000): Promise<string> => {
    seen = '';
    tty.input(keys);
    await world.clock.advance({ ms: waitMs });
    return seen
      .replaceAll(/\x1b\[\?2004[hl]\r?/g, '')
      .replaceAll(/\x1b\[[\d;]*[mJK]/g, '')
      .replaceAll('\r\n', '\n');
  };
  await press('');
  return { press, type: (line, waitMs) => press(`${line}\r`, waitMs) };
}
