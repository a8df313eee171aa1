import { expect, test } from 'vitest';
import { bash, dash } from '../../../../main/linux/shell/index.ts';
import { makeBareMachine, run, type BareMachine } from '../../../support/make-machine.ts';

/** A machine on whose port 8080 somebody sends back each line in capitals, and whose UDP port 9 answers. */
function makeEchoMachine(): BareMachine {
  const machine = makeBareMachine({
    programs: { '/usr/bin/bash': bash, '/usr/bin/dash': dash },
    files: { '/etc/hosts': '127.0.0.1 localhost\n', '/etc/resolv.conf': 'nameserver 127.0.0.1\n' },
  });
  const { sockets } = machine.kernel.net;
  const listener = sockets.listenTcp({ address: '0.0.0.0', port: 8080 });
  void (async () => {
    for (;;) {
      const socket = await listener.accept();
      void (async () => {
        for (let bytes = await socket.read(); bytes !== undefined; bytes = await socket.read())
          await socket.write(Buffer.from(Buffer.from(bytes).toString().toUpperCase()));
        socket.close();
      })();
    }
  })();
  const udp = sockets.openUdp({ local: { address: '0.0.0.0', port: 9 } });
  void (async () => {
    for (;;) {
      const { bytes, from } = await udp.receive();
      udp.send(Buffer.from(`${bytes.length} bytes\n`), from);
    }
  })();
  return machine;
}

test('a descriptor opened on /dev/tcp talks to the port, and ends the connection when it is closed', async () => {
  const machine = makeEchoMachine();
  const { stdout, stderr } = await run(machine, [
    'bash',
    '-c',
    'exec 3<>/dev/tcp/localhost/8080; echo hello >&3; read -r line <&3; echo "$line"; exec 3>&-; exec 4<>/dev/tcp/127.0.0.1/8080 && echo again',
  ]);
  expect({ stdout, stderr }).toEqual({ stdout: 'HELLO\nagain\n', stderr: '' });
  expect(machine.faults).toEqual([]);
});

test('the usual probe of a port tells open from closed', async () => {
  const probe =
    'for p in 8080 8081; do if (: </dev/tcp/127.0.0.1/$p) 2>/dev/null; then echo $p open; else echo $p closed; fi; done';
  expect((await run(makeEchoMachine(), ['bash', '-c', probe])).stdout).toBe('8080 open\n8081 closed\n');
});

test('each write to /dev/udp is a datagram', async () => {
  const script = 'exec 3<>/dev/udp/127.0.0.1/9; printf abc >&3; read -r line <&3; echo "$line"';
  expect((await run(makeEchoMachine(), ['bash', '-c', script])).stdout).toBe('3 bytes\n');
});

test('what can’t be reached is told twice, as bash does; dash has no such names', async () => {
  const file = (script: string): string[] => ['bash', '-c', script];
  const refused = await run(makeEchoMachine(), file('echo x >/dev/tcp/127.0.0.1/1; echo $?'));
  expect(refused).toMatchObject({
    stdout: '1\n',
    stderr: 'bash: connect: Connection refused\nbash: line 1: /dev/tcp/127.0.0.1/1: Connection refused\n',
  });
  const service = await run(makeEchoMachine(), file('echo x >/dev/tcp/127.0.0.1/nosuch'));
  expect(service.stderr).toBe(
    'bash: nosuch: Servname not supported for ai_socktype\nbash: line 1: /dev/tcp/127.0.0.1/nosuch: Invalid argument\n',
  );
  const other = await run(makeEchoMachine(), ['dash', '-c', 'echo x >/dev/tcp/127.0.0.1/8080']);
  expect(other.stderr).toMatch(/cannot create \/dev\/tcp\/127.0.0.1\/8080: Directory nonexistent/);
});
