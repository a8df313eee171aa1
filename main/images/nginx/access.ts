// Who may ask and how often: limit_conn, limit_req, allow and deny, passwords, auth_request (nginx's preaccess and access phases).
import { verifyPassword } from '../../linux/commands/index.ts';
import { ErrnoError } from '../../network/index.ts';
import { addressRange, addressNumber } from './compile-variables.ts';
import { HttpError, type Exchange } from './exchange.ts';
import type { AccessRule } from './settings.ts';
import { fill, type Template } from './template.ts';

/** Asks a location on the side, for auth_request and mirror. */
export type Subrequest = (
  exchange: Exchange,
  uri: string,
) => Promise<{
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly asked: Exchange;
}>;

/** Runs the preaccess and access phases. Throws HttpError for who is turned away. */
export async function checkAccess(exchange: Exchange, subrequest: Subrequest): Promise<void> {
  const { settings } = exchange;
  countConnections(exchange);
  await countRequest(exchange);
  if (exchange.isSubrequest) return; // nginx checks the main request only.
  const isExcepted =
    settings.exceptMethods !== undefined && !settings.exceptMethods.includes(exchange.method);
  const rules = isExcepted ? settings.exceptAccess : settings.access;
  const basic = isExcepted ? (settings.exceptAuthBasic ?? settings.authBasic) : settings.authBasic;
  const checks: (() => Promise<'granted' | 'none' | HttpError>)[] = [
    () => Promise.resolve(byAddress(exchange, rules)),
    () => Promise.resolve(byPassword(exchange, basic)),
    () => bySubrequest(exchange, subrequest),
  ];
  let refusal: HttpError | undefined;
  for (const check of checks) {
    const verdict = await check();
    if (verdict === 'none') continue;
    if (verdict === 'granted') {
      if (settings.satisfyAny) return;
    } else if (settings.satisfyAny) {
      refusal = refusal?.status === 401 ? refusal : verdict;
    } else {
      if (verdict.status === 403 && check === checks[0]) exchange.log('error', 'access forbidden by rule');
      throw verdict;
    }
  }
  if (refusal !== undefined) {
    if (refusal.status === 403) exchange.log('error', 'access forbidden by rule');
    throw refusal;
  }
}

function countConnections(exchange: Exchange): void {
  const { limitConns, limitConnStatus } = exchange.settings;
  if (exchange.atEnd.length > 0) return; // Counted before an internal redirect.
  for (const { zone, max } of limitConns) {
    const key = fill(zone.key, exchange);
    if (key === '') continue;
    const release = exchange.world.limits.connect(zone.name, key, max);
    if (release === undefined) {
      exchange.limitStatus = 'REJECTED';
      exchange.log('error', `limiting connections by zone "${zone.name}"`);
      throw new HttpError(limitConnStatus);
    }
    exchange.limitStatus = 'PASSED';
    exchange.atEnd.push(release);
  }
}

async function countRequest(exchange: Exchange): Promise<void> {
  const { world, settings } = exchange;
  if (exchange.assigned.has('\u0000limited')) return;
  let delayMs = 0;
  for (const limit of settings.limitReqs) {
    const key = fill(limit.zone.key, exchange);
    if (key === '') continue;
    exchange.assigned.set('\u0000limited', '1');
    const verdict = world.limits.request(limit, key, world.proc.clock.now());
    const zone = `by zone "${limit.zone.name}"`;
    if (verdict.kind === 'reject') {
      exchange.limitStatus = 'REJECTED';
      exchange.log(
        settings.limitReqLogLevel,
        `limiting requests, excess: ${(verdict.excess / 1000).toFixed(3)} ${zone}`,
      );
      throw new HttpError(settings.limitReqStatus);
    }
    exchange.limitStatus = verdict.kind === 'delay' ? 'DELAYED' : 'PASSED';
    if (verdict.kind === 'delay') {
      const lower =
        ({ error: 'warn', warn: 'notice', notice: 'info' } as const)[settings.limitReqLogLevel as 'error'] ??
        'info';
      exchange.log(lower, `delaying request, excess: ${(verdict.excess / 1000).toFixed(3)}, ${zone}`);
      delayMs = Math.max(delayMs, verdict.ms);
    }
  }
  if (delayMs > 0) await new Promise<void>((resolve) => world.proc.clock.after(delayMs, resolve));
}

/** Whether an address stands in `10.0.0.0/8`, `10.0.0.1` or `all`. */
export function addressMatches(what: string, address: string): boolean {
  if (what === 'all' || what === address) return true;
  const range = addressRange(what);
  const number = addressNumber(address);
  return range !== undefined && number !== undefined && number >= range.from && number <= range.to;
}

function byAddress(exchange: Exchange, rules: readonly AccessRule[]): 'granted' | 'none' | HttpError {
  const rule = rules.find(({ what }) => addressMatches(what, exchange.clientAddress));
  if (rule === undefined) return 'none';
  return rule.allow ? 'granted' : new HttpError(403);
}

function byPassword(exchange: Exchange, realmTemplate: Template | undefined): 'granted' | 'none' | HttpError {
  const { settings, world } = exchange;
  if (realmTemplate === undefined || settings.authUserFile === undefined) return 'none';
  const realm = fill(realmTemplate, exchange);
  if (realm === 'off') return 'none';
  const refused = new HttpError(401, [['WWW-Authenticate', `Basic realm="${realm}"`]]);
  const encoded = /^Basic +(\S+)\s*$/i.exec(exchange.header('Authorization') ?? '')?.[1];
  if (encoded === undefined) {
    exchange.log('info', 'no user/password was provided for basic authentication');
    return refused;
  }
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const [user, password] = [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
  if (colon <= 0) return refused;
  const path = fill(settings.authUserFile, exchange);
  let lines: string[];
  try {
    lines = world.proc.fs.readText(path).split('\n');
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    const number = error.code === 'EACCES' ? 13 : 2;
    exchange.log('error', `open() "${path}" failed (${number}: ${error.message})`);
    return new HttpError(error.code === 'ENOENT' ? 403 : 500);
  }
  for (const line of lines) {
    const [name, hash] = line.split(':');
    if (line.startsWith('#') || name !== user || hash === undefined) continue;
    if (verifyPassword(password, hash)) {
      exchange.user = user;
      return 'granted';
    }
    exchange.log('error', `user "${user}": password mismatch`);
    return refused;
  }
  exchange.log('error', `user "${user}" was not found in "${path}"`);
  return refused;
}

async function bySubrequest(
  exchange: Exchange,
  subrequest: Subrequest,
): Promise<'granted' | 'none' | HttpError> {
  const { authRequest, authRequestSets } = exchange.settings;
  if (authRequest === undefined) return 'none';
  const { status, headers, asked } = await subrequest(exchange, authRequest);
  for (const [name, value] of authRequestSets) exchange.assigned.set(name, fill(value, asked));
  if (status >= 200 && status < 300) return 'granted';
  if (status === 403) return new HttpError(403);
  if (status === 401) {
    const challenge = headers.filter(([name]) => name.toLowerCase() === 'www-authenticate');
    return new HttpError(401, challenge);
  }
  exchange.log('error', `auth request unexpected status: ${status}`);
  return new HttpError(500);
}
