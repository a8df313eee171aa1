// python3(1), as far as it is honest: its version, `-m http.server` and `-m json.tool`. Programs in Python aren't run.
import { ErrnoError, type TcpSocket } from '../../../network/index.ts';
import { headerOf, StreamReader } from '../../../network/http/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { readAll } from '../frame/input.ts';

const VERSION = '3.11.2';
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const SERVER_USAGE = 'usage: server.py [-h] [--cgi] [-b ADDRESS] [-d DIRECTORY] [-p VERSION] [port]\n';
const SERVER_HELP = `${SERVER_USAGE}
positional arguments:
  port                  bind to this port (default: 8000)

options:
  -h, --help            show this help message and exit
  --cgi                 run as CGI server
  -b ADDRESS, --bind ADDRESS
                        bind to this address (default: all interfaces)
  -d DIRECTORY, --directory DIRECTORY
                        serve this directory (default: current directory)
  -p VERSION, --protocol VERSION
                        conform to this HTTP version (default: HTTP/1.0)
`;

/** python3(1) */
export const python3: Program = async (proc) => {
  const [, first, module, ...args] = proc.argv;
  if (first === '--version' || first === '-V') {
    await proc.stdout.write(`Python ${VERSION}\n`);
    return 0;
  }
  if (first === '-m' && module === 'http.server') return httpServer(proc, args);
  if (first === '-m' && module === 'json.tool') return jsonTool(proc, args);
  if (first === '-m' && module === undefined) {
    await proc.stderr.write(
      "Argument expected for the -m option\nusage: python3 [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `python -h' for more information.\n",
    );
    return 2;
  }
  const what =
    first === '-m'
      ? `the module ${module}`
      : first === undefined
        ? 'the interpreter'
        : first === '-c'
          ? 'running Python code'
          : `running ${first}`;
  await proc.stderr.write(`python3: drydock: ${what} isn't simulated\n`);
  return 1;
};

// ── json.tool ──

async function jsonTool(proc: Process, args: readonly string[]): Promise<number> {
  let [indent, sorts, isCompact, isAscii]: [string, boolean, boolean, boolean] = ['    ', false, false, true];
  const files: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (word === '--sort-keys') sorts = true;
    else if (word === '--compact') isCompact = true;
    else if (word === '--no-ensure-ascii') isAscii = false;
    else if (word === '--tab') indent = '\t';
    else if (word === '--indent') indent = ' '.repeat(Number(args[++at] ?? 4));
    else if (word === '--no-indent') indent = '';
    else files.push(word);
  }
  let text: string;
  try {
    text =
      files[0] === undefined || files[0] === '-'
        ? Buffer.from(await readAll(proc.stdin)).toString('utf8')
        : proc.fs.readText(files[0]);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    await proc.stderr.write(
      `usage: python -m json.tool [-h] [--sort-keys] [--no-ensure-ascii] [--json-lines] [--indent INDENT | --tab | --no-indent | --compact] [infile] [outfile]\npython -m json.tool: error: argument infile: can't open '${files[0]}': [Errno 2] ${error.message}: '${files[0]}'\n`,
    );
    return 2;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    await proc.stderr.write(`${jsonProblem(text)}\n`);
    return 1;
  }
  const out = format(value, isCompact ? undefined : indent, sorts, '');
  const shown = isAscii
    ? out.replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : out;
  await proc.stdout.write(`${shown}\n`);
  return 0;
}

function format(value: unknown, indent: string | undefined, sorts: boolean, margin: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const entries = isList ? value.map((each) => ['', each] as const) : Object.entries(value);
  const ordered = sorts && !isList ? entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) : entries;
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (ordered.length === 0) return open + close;
  const inner = indent === undefined || indent === '' ? '' : margin + indent;
  const items = ordered.map(
    ([key, each]) =>
      `${isList ? '' : `${JSON.stringify(key)}:${indent === undefined ? '' : ' '}`}${format(each, indent, sorts, inner)}`,
  );
  if (indent === undefined) return open + items.join(',') + close;
  if (indent === '') return open + items.join(', ') + close;
  return `${open}\n${items.map((item) => inner + item).join(',\n')}\n${margin}${close}`;
}

/** Where Python's json gives up, for the mistakes people make most. */
function jsonProblem(text: string): string {
  const at = (index: number, what: string): string => {
    const before = text.slice(0, index).split('\n');
    return `${what}: line ${before.length} column ${before.at(-1)!.length + 1} (char ${index})`;
  };
  for (let end = 0; end <= text.length; end++) {
    const start = text.slice(0, end).trim();
    if (start === '') continue;
    try {
      JSON.parse(start);
      const rest = text.slice(end).search(/\S/);
      if (rest >= 0 && !/^[\d.eE+-]/.test(text.slice(end + rest))) return at(end + rest, 'Extra data');
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  const single = /[{,]\s*(?=[^\s"}])/.exec(text);
  if (single !== null)
    return at(single.index + single[0].length, 'Expecting property name enclosed in double quotes');
  const first = text.search(/\S/);
  return at(Math.max(0, first), 'Expecting value');
}

// ── http.server ──

interface ServerOptions {
  readonly port: number;
  readonly address: string;
  readonly directory: string;
  readonly protocol: string;
}

async function httpServer(proc: Process, args: readonly string[]): Promise<number> {
  const options = await readOptions(proc, args);
  if (typeof options === 'number') return options;
  const { address, port } = options;
  let listener;
  try {
    listener = proc.net.sockets.listenTcp({ address, port }, { owner: proc.socketOwner, backlog: 5 });
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const number = { EADDRINUSE: 98, EACCES: 13, EADDRNOTAVAIL: 99 }[error.code as 'EACCES'] ?? 22;
    const kind = error.code === 'EACCES' ? 'PermissionError' : 'OSError';
    await proc.stderr.write(
      `Traceback (most recent call last):\n  File "<frozen runpy>", line 198, in _run_module_as_main\n  File "<frozen runpy>", line 88, in _run_code\n  File "/usr/lib/python3.11/http/server.py", line 1314, in <module>\n    test(\n  File "/usr/lib/python3.11/http/server.py", line 1261, in test\n    with ServerClass(addr, HandlerClass) as httpd:\n  File "/usr/lib/python3.11/socketserver.py", line 456, in __init__\n    self.server_bind()\n${kind}: [Errno ${number}] ${error.message}\n`,
    );
    return 1;
  }
  using socket = listener;
  await proc.stdout.write(
    `Serving HTTP on ${address} port ${socket.local.port} (http://${address}:${socket.local.port}/) ...\n`,
  );
  const interrupted = Promise.withResolvers<'interrupted'>();
  proc.onSignal('SIGINT', () => interrupted.resolve('interrupted'));
  for (;;) {
    try {
      const next = await proc.interruptible(Promise.race([socket.accept(), interrupted.promise]));
      if (next === 'interrupted') break;
      serve(proc, options, next).catch((error: unknown) => {
        if (!(error instanceof ErrnoError)) throw error; // The client has left.
      });
    } catch (error) {
      if (!(error instanceof ErrnoError && error.code === 'EINTR')) throw error;
    }
  }
  await proc.stdout.write('\nKeyboard interrupt received, exiting.\n');
  return 0;
}

async function readOptions(proc: Process, args: readonly string[]): Promise<ServerOptions | number> {
  const options = { port: 8000, address: '0.0.0.0', directory: proc.cwd, protocol: 'HTTP/1.0' };
  const refuse = async (text: string): Promise<number> => {
    await proc.stderr.write(`${SERVER_USAGE}server.py: error: ${text}\n`);
    return 2;
  };
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    const match = /^(-b|--bind|-d|--directory|-p|--protocol)(?:=(.*))?$/.exec(word);
    if (word === '-h' || word === '--help') {
      await proc.stdout.write(SERVER_HELP);
      return 0;
    }
    if (word === '--cgi') return refuse("drydock: CGI isn't simulated");
    if (match !== null) {
      const value = match[2] ?? args[++at];
      if (value === undefined) return refuse(`argument ${match[1]}: expected one argument`);
      if (match[1]!.startsWith('-b') || match[1] === '--bind') options.address = value;
      else if (match[1]!.startsWith('-d') || match[1] === '--directory')
        options.directory = value.startsWith('/') ? value : `${proc.cwd}/${value}`;
      else options.protocol = value;
    } else if (/^\d+$/.test(word)) options.port = Number(word);
    else if (word.startsWith('-')) return refuse(`unrecognized arguments: ${word}`);
    else return refuse(`argument port: invalid int value: '${word}'`);
  }
  return options;
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

async function serve(proc: Process, options: ServerOptions, socket: TcpSocket): Promise<void> {
  const reader = new StreamReader(socket);
  const isModern = options.protocol === 'HTTP/1.1';
  const log = (text: string): Promise<void> =>
    proc.stderr
      .write(`${socket.remote.address} - - [${stamp(proc.clock.now())}] ${text}\n`)
      .then(() => undefined);
  for (;;) {
    const text = await reader.readHead(65_536);
    if (text === undefined) break;
    const [line = '', ...rest] = text.split(/\r?\n/);
    const [method = '', target = '/', version = ''] = line.split(' ');
    const headers = rest
      .filter((each) => each.includes(':'))
      .map((each) => [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 1).trim()] as const);
    const answer =
      method === 'GET' || method === 'HEAD'
        ? answerFile(proc, options.directory, target)
        : failure(501, `Unsupported method ('${method}')`, 'Server does not support this operation.');
    if (answer.status >= 400) await log(`code ${answer.status}, message ${answer.reason}`);
    await log(`"${line}" ${answer.status} -`);
    const length = Number(headerOf(headers, 'content-length') ?? 0);
    if (length > 0) await reader.readExactly(length);
    const stays =
      isModern &&
      version === 'HTTP/1.1' &&
      headerOf(headers, 'connection')?.toLowerCase() !== 'close' &&
      answer.status < 400;
    const head = [
      `${options.protocol} ${answer.status} ${answer.reason}`,
      `Server: SimpleHTTP/0.6 Python/${VERSION}`,
      `Date: ${new Date(Math.floor(proc.clock.now())).toUTCString()}`,
      ...answer.headers.map(([name, value]) => `${name}: ${value}`),
    ];
    await socket.write(
      Buffer.concat([
        Buffer.from(`${head.join('\r\n')}\r\n\r\n`),
        method === 'HEAD' ? Buffer.alloc(0) : answer.body,
      ]),
    );
    if (!stays) break;
  }
  socket.end();
}

function stamp(ms: number): string {
  const date = new Date(Math.floor(ms));
  return `${String(date.getUTCDate()).padStart(2, '0')}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()} ${date.toISOString().slice(11, 19)}`;
}

function failure(status: number, reason: string, explanation: string): Answer {
  const body = Buffer.from(
    `<!DOCTYPE HTML>\n<html lang="en">\n    <head>\n        <meta charset="utf-8">\n        <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n        <p>Error code: ${status}</p>\n        <p>Message: ${escapeHtml(reason)}.</p>\n        <p>Error code explanation: ${status} - ${explanation}</p>\n    </body>\n</html>\n`,
  );
  return {
    status,
    reason,
    headers: [
      ['Connection', 'close'],
      ['Content-Type', 'text/html;charset=utf-8'],
      ['Content-Length', String(body.length)],
    ],
    body,
  };
}

const NOT_FOUND = (): Answer => failure(404, 'File not found', 'Nothing matches the given URI.');

function answerFile(proc: Process, directory: string, target: string): Answer {
  const { fs } = proc;
  const path = target.replace(/[?#].*$/, '');
  const parts = decode(path)
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  const full = `${directory.replace(/\/$/, '')}/${parts.join('/')}`;
  try {
    const stat = fs.stat(full);
    if (stat.type === 'directory') {
      if (!path.endsWith('/'))
        return {
          status: 301,
          reason: 'Moved Permanently',
          headers: [
            ['Location', `${path}/${target.slice(path.length)}`],
            ['Content-Length', '0'],
          ],
          body: Buffer.alloc(0),
        };
      const index = ['index.html', 'index.htm']
        .map((name) => `${full.replace(/\/$/, '')}/${name}`)
        .find((each) => fs.exists(each));
      return index === undefined ? listing(proc, full, path) : fileAnswer(proc, index);
    }
    return path.endsWith('/') ? NOT_FOUND() : fileAnswer(proc, full);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    return NOT_FOUND();
  }
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  htm: 'text/html',
  txt: 'text/plain',
  css: 'text/css',
  js: 'text/javascript',
  json: 'application/json',
  xml: 'text/xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  svg: 'image/svg+xml',
  pdf: 'application/pdf',
  zip: 'application/zip',
  gz: 'application/gzip',
  tar: 'application/x-tar',
  sh: 'application/x-sh',
  py: 'text/x-python',
  crt: 'application/x-x509-ca-cert',
  md: 'text/markdown',
  csv: 'text/csv',
};

function fileAnswer({ fs }: Process, path: string): Answer {
  const body = fs.readFile(path);
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  return {
    status: 200,
    reason: 'OK',
    headers: [
      ['Content-type', TYPES[extension] ?? 'application/octet-stream'],
      ['Content-Length', String(body.length)],
      ['Last-Modified', new Date(Math.floor(fs.stat(path).modifyMs / 1000) * 1000).toUTCString()],
    ],
    body,
  };
}

function listing({ fs }: Process, folder: string, path: string): Answer {
  const rows = fs
    .readdir(folder)
    .toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
    .map(({ name, type }) => {
      const [link, shown] =
        type === 'directory'
          ? [`${name}/`, `${name}/`]
          : type === 'symlink'
            ? [name, `${name}@`]
            : [name, name];
      return `<li><a href="${quote(link)}">${escapeHtml(shown)}</a></li>\n`;
    });
  const title = `Directory listing for ${escapeHtml(decode(path))}`;
  const body = Buffer.from(
    `<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>${title}</title>\n</head>\n<body>\n<h1>${title}</h1>\n<hr>\n<ul>\n${rows.join('')}</ul>\n<hr>\n</body>\n</html>\n`,
  );
  return {
    status: 200,
    reason: 'OK',
    headers: [
      ['Content-type', 'text/html; charset=utf-8'],
      ['Content-Length', String(body.length)],
    ],
    body,
  };
}

function decode(text: string): string {
  const bytes = text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function quote(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function escapeHtml(text: string): string {
  return text.replaceAll(
    /[&<>"']/g,
    (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' })[char]!,
  );
}
