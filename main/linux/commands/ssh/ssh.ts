// ssh(1): a shell or a command on another machine.
import { ErrnoError } from '../../../network/index.ts';
import { ProcessExit, type Process, type Program } from '../../kernel/index.ts';
import { OptionError, parseOptions, type Options } from '../frame/options.ts';
import type { Channel, SessionEnd } from './channel.ts';
import { openSession, parseTarget, SshError } from './client.ts';

const USAGE = `usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface]
           [-b bind_address] [-c cipher_spec] [-D [bind_address:]port]
           [-E log_file] [-e escape_char] [-F configfile] [-I pkcs11]
           [-i identity_file] [-J [user@]host[:port]] [-L address]
           [-l login_name] [-m mac_spec] [-O ctl_cmd] [-o option] [-p port]
           [-Q query_option] [-R address] [-S ctl_path] [-W host:port]
           [-w local_tun[:remote_tun]] destination [command [argument ...]]
`;
const NOT_SIMULATED = ['D', 'J', 'L', 'R', 'W', 'w', 'N', 'f', 'M', 'O', 's'];

/** ssh(1) */
export const ssh: Program = async (proc) => {
  let options: Options;
  try {
    options = parseOptions(proc.argv.slice(1), {
      short: '46AaCfGgKkMNnqsTtVvXxYyB:b:c:D:E:e:F:I:i:J:L:l:m:O:o:p:Q:R:S:W:w:',
      permute: false,
    });
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    await proc.stderr.write(`${error.message.replace('invalid option', 'unknown option')}\n${USAGE}`);
    return 255;
  }
  if (options.has('V')) {
    await proc.stderr.write('OpenSSH_8.7p1, OpenSSL 3.0.7 1 Nov 2022\n');
    return 0;
  }
  const [destination, ...words] = options.operands;
  if (destination === undefined) {
    await proc.stderr.write(USAGE);
    return 255;
  }
  const missing = NOT_SIMULATED.find((letter) => options.has(letter));
  if (missing !== undefined) {
    await proc.stderr.write(`drydock: ssh -${missing} isn't simulated\n`);
    return 255;
  }
  const target = parseTarget(proc, destination, options.value('l'), options.value('p'));
  const command = words.length === 0 ? undefined : words.join(' ');
  const tty = proc.stdin.tty;
  const wantsTerminal = options.has('t') || (command === undefined && !options.has('T'));
  if (wantsTerminal && tty === undefined && !options.has('T') && options.count('t') < 2)
    await proc.stderr.write('Pseudo-terminal will not be allocated because stdin is not a terminal.\n');
  const hasTerminal = wantsTerminal && (tty !== undefined || options.count('t') > 1);
  try {
    const { channel, socket } = await openSession(proc, target, {
      settings: settingsOf(options),
      identities: options.values('i'),
      command,
      terminal: hasTerminal
        ? { term: proc.env.get('TERM') ?? 'xterm', ...(tty?.size ?? { columns: 80, rows: 24 }) }
        : undefined,
    });
    try {
      return await converse(proc, channel, { hasTerminal, noInput: options.has('n'), host: target.host });
    } finally {
      socket.close();
    }
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    await proc.stderr.write(`${error.message}\n`);
    return 255;
  }
};

/** `-o Name=value` and `-o "Name value"`, and what other options stand for. */
export function settingsOf(options: Options): Map<string, string> {
  return new Map(
    options.values('o').map((text) => {
      const [, name = '', value = ''] = /^\s*(\w+)\s*[=\s]\s*(.*)$/.exec(text) ?? [];
      return [name.toLowerCase(), value];
    }),
  );
}

async function converse(
  proc: Process,
  channel: Channel,
  { hasTerminal, noInput, host }: { hasTerminal: boolean; noInput: boolean; host: string },
): Promise<number> {
  const tty = hasTerminal ? proc.stdin.tty : undefined;
  const before = tty === undefined ? undefined : { ...tty.modes };
  tty?.setModes({
    canonical: false,
    echo: false,
    signals: false,
    inputNewline: false,
    outputNewline: false,
    flowControl: false,
  });
  if (tty !== undefined)
    proc.onSignal('SIGWINCH', () => void channel.send('resize', tty.size).catch(ignoreGone));
  const typing = async (): Promise<void> => {
    for (;;) {
      const bytes = noInput ? new Uint8Array(0) : await proc.stdin.read(16_384);
      if (bytes.length === 0) break;
      await channel.send('stdin', bytes);
    }
    await channel.send('eof');
  };
  void typing().catch(ignoreGone);
  let end: SessionEnd | undefined;
  try {
    for (;;) {
      const record = await receive(proc, channel);
      if (record === undefined) break;
      if (record.kind === 'stdout') await proc.stdout.write(record.content);
      else if (record.kind === 'stderr') await proc.stderr.write(record.content);
      else if (record.kind === 'exit') {
        end = JSON.parse(record.content.toString()) as SessionEnd;
        break;
      }
    }
  } finally {
    if (before !== undefined) tty?.setModes(before);
  }
  if (end === undefined) {
    await proc.stderr.write(`client_loop: send disconnect: Broken pipe\r\n`);
    return 255;
  }
  if (tty !== undefined) await proc.stderr.write(`Connection to ${host} closed.\n`);
  return end.signal === undefined ? end.exitCode : 255;
}

/** The next record; SIGWINCH and its like don't disturb. */
async function receive(proc: Process, channel: Channel): ReturnType<Channel['receive']> {
  const next = channel.receive();
  for (;;) {
    try {
      return await proc.interruptible(next);
    } catch (error) {
      if (error instanceof ErrnoError && error.code === 'ECONNRESET') return undefined;
      if (!(error instanceof ErrnoError) || error.code !== 'EINTR') throw error;
    }
  }
}

/** The connection or this process is no more; the reading side tells. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof ErrnoError || error instanceof ProcessExit)) throw error;
}
