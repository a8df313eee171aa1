// busybox' httpd: serves a folder's files. It is in the busybox image, not in Alpine's.
import { ErrnoError } from '../network/index.ts';
import { headerOf, serveHttp, type HttpRequest, type HttpResponse } from '../network/http/index.ts';
import { untilStopped } from '../kubernetes/daemon/index.ts';
import type { Process, Program } from '../linux/kernel/index.ts';

const USAGE =
  'BusyBox v1.36.1 (2024-05-14 09:12:33 UTC) multi-call binary.\n\nUsage: httpd [-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-u USER[:GRP]] [-r REALM] [-h HOME]\nor httpd -d/-e/-m STRING\n\nListen for incoming HTTP requests\n';
const TYPES: Readonly<Record<string, string>> = {
  txt: 'text/plain',
  html: 'text/html',
  htm: 'text/html',
  css: 'text/css',
  js: 'application/javascript',
  json: 'application/json',
  gif: 'image/gif',
  jpg: 'image/jpeg',
  png: 'image/png',
  svg: 'image/svg+xml',
};

/** httpd(1) of busybox 1.36. CGI and configuration files aren't simulated. */
export const busyboxHttpd: Program = async (proc) => {
  const words = proc.argv.slice(1);
  let [port, home, isForeground] = ['80', '.', false];
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const [, letter = '', rest = ''] = /^-(?:[fv]*)([phucr])?(.*)$/.exec(word) ?? [];
    if (/^-[fv]*f/.test(word)) isForeground = true;
    if (letter === '') {
      if (/^-[fv]+$/.test(word)) continue;
      await proc.stderr.write(USAGE);
      return 1;
    }
    const value = rest === '' ? (words[++index] ?? '') : rest;
    if (letter === 'p') port = value;
    if (letter === 'h') home = value;
    if (letter === 'c') {
      await proc.stderr.write("drydock: busybox httpd's -c isn't simulated\n");
      return 1;
    }
  }
  const root = proc.fs.resolve(home);
  if (!proc.fs.exists(root)) {
    await proc.stderr.write(`httpd: can't change directory to '${home}': No such file or directory\n`);
    return 1;
  }
  if (isForeground) return serve(proc, port, root);
  proc.spawn({ argv: proc.argv, program: (child) => serve(child, port, root), newSession: true });
  return 0;
};

async function serve(proc: Process, at: string, root: string): Promise<number> {
  const colon = at.lastIndexOf(':');
  const address = colon < 0 ? '0.0.0.0' : at.slice(0, colon);
  try {
    using listener = proc.net.sockets.listenTcp(
      { address, port: Number(at.slice(colon + 1)) },
      { owner: proc.socketOwner, backlog: 9 },
    );
    using _server = serveHttp(listener, (request) => Promise.resolve(answer(proc, root, request)));
    return await untilStopped(proc);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await proc.stderr.write(`httpd: bind: ${error.message}\n`);
    return 1;
  }
}

function answer(proc: Process, root: string, request: HttpRequest): HttpResponse {
  const common: [string, string][] = [
    ['Date', new Date(Math.floor(proc.clock.now())).toUTCString()],
    ['Connection', 'close'],
  ];
  const page = (status: number, title: string, text: string, more: [string, string][] = []): HttpResponse => {
    const body = `<HTML><HEAD><TITLE>${status} ${title}</TITLE></HEAD>\n<BODY><H1>${status} ${title}</H1>\n${text}\n</BODY></HTML>\n`;
    return { status, headers: [...common, ['Content-type', 'text/html'], ...more], body };
  };
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return page(501, 'Not Implemented', 'The requested method is not recognized');
  let path: string;
  try {
    path = decodeURIComponent(request.target.split('?')[0]!);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return page(400, 'Bad Request', 'Unsupported method');
  }
  if (path.split('/').includes('..')) return page(404, 'Not Found', 'The requested URL was not found');
  if (path.startsWith('/cgi-bin/'))
    return page(501, 'Not Implemented', "drydock: busybox httpd's CGI isn't simulated");
  try {
    const { fs } = proc;
    let file = `${root}${path}`;
    if (fs.stat(file).type === 'directory') {
      if (!path.endsWith('/'))
        return page(302, 'Found', '', [
          ['Location', `http://${headerOf(request.headers, 'Host') ?? ''}${path}/`],
        ]);
      file += 'index.html';
    }
    const stat = fs.stat(file);
    const type = TYPES[/\.(\w+)$/.exec(file)?.[1] ?? ''] ?? 'application/octet-stream';
    return {
      status: 200,
      headers: [
        ...common,
        ['Content-type', type],
        ['Accept-Ranges', 'bytes'],
        ['Last-Modified', new Date(Math.floor(stat.modifyMs)).toUTCString()],
        ['ETag', `"${Math.floor(stat.modifyMs / 1000).toString(16)}-${stat.sizeBytes.toString(16)}"`],
        ['Content-Length', String(stat.sizeBytes)],
      ],
      body: fs.readFile(file),
    };
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    return error.code === 'EACCES'
      ? page(403, 'Forbidden', '')
      : page(404, 'Not Found', 'The requested URL was not found');
  }
}
