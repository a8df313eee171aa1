// Bootstrap tokens: `ID.SECRET`, kept in Secrets of kube-system (plugin/pkg/auth/authenticator/token/bootstrap).
import { timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../api/types.ts';
import type { ObjectReader } from '../kinds/kind.ts';
import type { UserInfo } from './user.ts';

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const TYPE = 'bootstrap.kubernetes.io/token';
const GROUP = 'system:bootstrappers';
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** The user of a bootstrap token; undefined for what isn't one, or isn't good. */
export function readBootstrapToken(
  objects: ObjectReader,
  token: string,
  nowMs: number,
): UserInfo | undefined {
  const match = TOKEN.exec(token);
  if (match === null) return undefined;
  const [, id = '', secret = ''] = match;
  const name = `bootstrap-token-${id}`;
  const found = objects.get('secrets', '', 'kube-system', name) as Secret | undefined;
  if (found === undefined || found.type !== TYPE || found.metadata?.deletionTimestamp !== undefined)
    return undefined;
  const field = (key: string): string => Buffer.from(found.data?.[key] ?? '', 'base64').toString('utf8');
  if (field('token-id') !== id || !isSame(field('token-secret'), secret)) return undefined;
  const expiration = field('expiration');
  if (expiration !== '' && !(Date.parse(expiration) > nowMs)) return undefined;
  if (field('usage-bootstrap-authentication') !== 'true') return undefined;
  const extra = field('auth-extra-groups');
  const groups = extra === '' ? [] : extra.split(',');
  if (!groups.every((group) => EXTRA_GROUP.test(group))) return undefined;
  return { name: `system:bootstrap:${id}`, groups: [...new Set([...groups, GROUP])].sort() };
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
