// hashicorp/http-echo: answers every request with the text it was given.
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Program } from '../../linux/kernel/index.ts';
import { goFlags, goResponse, listenGo, logStamp } from '../go-http.ts';

const PORT_DEFAULT = ':5678';
const USAGE = `Usage of http-echo:
  -listen string
    	address and port to listen (default ":5678")
  -status-code int
    	http response code, e.g.: 200 (default 200)
  -text string
    	text to put on the webpage
  -version
    	display version information
`;

/** http-echo of one version, such as `1.0.0`; 0.2.x knows neither -status-code nor ECHO_TEXT. */
export function makeHttpEcho(version: string): Program {
  const isOld = version.startsWith('0.');
  return async (proc) => {
    const { flags, rest } = goFlags(proc.argv.slice(1), ['version', 'help', 'h']);
    const unknown = [...flags.keys()].find(
      (name) => !['text', 'listen', 'status-code', 'version', 'help', 'h'].includes(name),
    );
    if (unknown !== undefined || flags.has('help') || flags.has('h')) {
      const fault = unknown === undefined ? '' : `flag provided but not defined: -${unknown}\n`;
      await proc.stderr.write(`${fault}${USAGE}`);
      return unknown === undefined ? 0 : 2;
    }
    if (flags.has('version')) {
      await proc.stderr.write(`http-echo v${version}\n`);
      return 0;
    }
    const text = flags.get('text') ?? (isOld ? undefined : proc.env.get('ECHO_TEXT'));
    if (text === undefined || text === '') {
      await proc.stderr.write(
        isOld ? 'Missing -text option!\n' : 'Missing -text option or ECHO_TEXT env var!\n',
      );
      return 127;
    }
    if (rest.length > 0) {
      await proc.stderr.write('Too many arguments!\n');
      return 127;
    }
    const listen = flags.get('listen') ?? PORT_DEFAULT;
    const port = Number(listen.slice(listen.lastIndexOf(':') + 1));
    const status = Number(flags.get('status-code') ?? 200);
    const headers = [
      ['X-App-Name', isOld ? 'http-echo' : ''],
      ['X-App-Version', isOld ? version : ''],
    ] as const;
    using server = await listenGo(proc, port, async ({ path, request }) => {
      if (path === '/health')
        return goResponse(proc, '{"status":"ok"}\n', {
          headers: [...headers, ['Content-Type', 'application/json']],
        });
      const agent = request.headers.find(([name]) => name.toLowerCase() === 'user-agent')?.[1] ?? '';
      const host = request.headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '';
      const from = `${request.peer.address}:${request.peer.port}`;
      await proc.stdout.write(
        `${logStamp(proc)}${isOld ? '' : '[INFO] '}${host} ${from} "${request.method} ${request.target} HTTP/1.1" ${status} ${Buffer.byteLength(text) + 1} "${agent}" 25.5µs\n`,
      );
      return goResponse(proc, `${text}\n`, { status, headers });
    });
    if (server === undefined) return 1;
    await proc.stderr.write(
      `${logStamp(proc)}${isOld ? 'Server is listening on' : '[INFO] server is listening on'} ${listen}\n`,
    );
    return await untilStopped(proc);
  };
}
