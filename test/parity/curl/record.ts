// Records what the host's real curl 7.88 does: run by hand, `node test/parity/curl/record.ts`.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { COMMANDS, FILES, PORT } from './cases.ts';
import { serveOdd } from './odd-server.ts';

const server = createServer((socket) => {
  const pieces = socket[Symbol.asyncIterator]();
  socket.on('error', () => undefined);
  void serveOdd({
    read: async () => {
      const next = await pieces.next().catch(() => ({ done: true as const, value: undefined }));
      return next.done === true ? undefined : (next.value as Uint8Array);
    },
    write: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    end: () => socket.end(),
  });
});
await new Promise<void>((resolve) => server.listen(PORT, '127.0.0.1', resolve));
const outcomes = [];
for (const command of COMMANDS) {
  const cwd = mkdtempSync(path.join(tmpdir(), 'curl-'));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(path.join(cwd, name), content);
  outcomes.push(
    await new Promise((resolve) => {
      const child = spawn('bash', ['-c', `curl ${command}`], {
        cwd,
        env: { PATH: process.env['PATH'], HOME: cwd, LANG: 'C.UTF-8' },
      });
      let [stdout, stderr] = ['', ''];
      child.stdin.end();
      child.stdout.on('data', (data: Buffer) => (stdout += data.toString('latin1')));
      child.stderr.on('data', (data: Buffer) => (stderr += data.toString('latin1')));
      child.on('close', (status) => resolve({ command, stdout, stderr, status }));
    }),
  );
  rmSync(cwd, { recursive: true });
}
server.close();
writeFileSync(path.join(import.meta.dirname, 'recorded.json'), `${JSON.stringify(outcomes, undefined, 1)}\n`);
process.exit(0);
