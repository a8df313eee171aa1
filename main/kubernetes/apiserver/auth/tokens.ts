// Service account tokens: JWTs signed with a key that the workspace keeps (pkg/serviceaccount).
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { rfc3339 } from '../../../simulation/index.ts';
import type { Store } from '../../../storage/index.ts';
import type { Random } from '../../../simulation/index.ts';
import type { StatusError } from '../../api/status.ts';
import type { ObjectReader } from '../kinds/kind.ts';
import type { ApiObject, StoredObject } from '../object.ts';
import { badRequest, failure, invalid, invalidValue, notFound } from '../refusals.ts';
import type { WriteRequest } from '../verbs/request.ts';
import { serviceAccountUser, type UserInfo } from './user.ts';

/** Where the signing key is in the workspace. */
const KEY_RECORD = '/cluster/service-account-key';
const ISSUER = 'https://kubernetes.default.svc.cluster.local';
/** Who issues the tokens in Secrets. */
const SECRET_ISSUER = 'kubernetes/serviceaccount';
const SECONDS_MIN = 600;
const SECONDS_MAX = 2 ** 32;
const SECONDS_DEFAULT = 3600;
/** What pods' own token volumes ask for, by which they are known, and what they get. */
const POD_TOKEN_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly nbf: number;
  readonly sub: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: { readonly name: string; readonly uid: string };
    readonly pod?: { readonly name: string; readonly uid: string };
    readonly secret?: { readonly name: string; readonly uid: string };
    readonly node?: { readonly name: string; readonly uid: string };
    /** From when on its use is warned of, in seconds since the epoch. */
    readonly warnafter?: number;
  };
}

/** Claims of a token in a Secret. */
interface SecretClaims {
  readonly iss: typeof SECRET_ISSUER;
  readonly sub: string;
  readonly 'kubernetes.io/serviceaccount/namespace': string;
  readonly 'kubernetes.io/serviceaccount/secret.name': string;
  readonly 'kubernetes.io/serviceaccount/service-account.name': string;
  readonly 'kubernetes.io/serviceaccount/service-account.uid': string;
}

/** Whose token, and the names of account and Secret. */
export interface SecretTokenHolder {
  readonly namespace: string;
  readonly secret: string;
  readonly account: string;
  readonly uid: string;
}

interface TokenRequestSpec {
  audiences?: string[] | null;
  expirationSeconds?: number | null;
  boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string } | null;
}

const BOUND_KINDS: Readonly<Record<string, string>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' };

export class Tokens {
  private readonly key: KeyObject;
  private readonly objects: ObjectReader;
  private readonly nowMs: () => number;
  private readonly random: Random;

  constructor(store: Store, objects: ObjectReader, random: Random, nowMs: () => number) {
    const known = store.get(KEY_RECORD)?.value;
    let key = known === undefined ? undefined : Buffer.from(known as string, 'hex');
    if (key === undefined) {
      key = Buffer.from(random.fork('service-account-key').bytes(32));
      store.save([{ key: KEY_RECORD, value: key.toString('hex') }]);
    }
    this.key = createSecretKey(key);
    this.objects = objects;
    this.random = random.fork('tokens');
    this.nowMs = nowMs;
  }

  /** Answers POST …/serviceaccounts/NAME/token. Throws 400, 404, 409 and 422. */
  create(request: WriteRequest, name: string, tokenRequest: ApiObject): StoredObject {
    const { namespace, served } = request;
    const account = served.table.get(namespace, name);
    if (account === undefined) throw notFound(served.resource, name);
    const spec = (tokenRequest['spec'] ?? {}) as TokenRequestSpec;
    const seconds = spec.expirationSeconds ?? SECONDS_DEFAULT;
    if (seconds < SECONDS_MIN) throw badSeconds(seconds, 'may not specify a duration less than 10 minutes');
    if (seconds > SECONDS_MAX)
      throw badSeconds(seconds, 'may not specify a duration larger than 2^32 seconds');
    const bound = this.boundObject(namespace, spec.boundObjectRef ?? undefined);
    const audiences = spec.audiences ?? [];
    const now = Math.floor(this.nowMs() / 1000);
    // Clients that read their token once go on for a year, with warnings (--service-account-extend-token-expiration).
    const isOwnAudience = audiences.length === 0 || (audiences.length === 1 && audiences[0] === ISSUER);
    const isExtended = seconds === POD_TOKEN_SECONDS && isOwnAudience;
    const claims: Claims = {
      aud: audiences.length === 0 ? [ISSUER] : audiences,
      exp: now + (isExtended ? EXTENDED_SECONDS : seconds),
      iat: now,
      iss: ISSUER,
      jti: this.random.uuid(),
      'kubernetes.io': {
        namespace,
        ...this.nodeClaim(bound),
        ...(bound === undefined
          ? {}
          : { [bound.kind]: { name: bound.object.metadata.name, uid: bound.object.metadata.uid } }),
        serviceaccount: { name, uid: account.metadata.uid },
        ...(isExtended ? { warnafter: now + seconds } : {}),
      },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    };
    return {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, uid: account.metadata.uid, creationTimestamp: rfc3339(this.nowMs()) },
      spec: {
        audiences: claims.aud,
        expirationSeconds: seconds,
        boundObjectRef: spec.boundObjectRef ?? null,
      },
      status: { token: this.sign(claims), expirationTimestamp: rfc3339((now + seconds) * 1000) },
    } as unknown as StoredObject;
  }

  /** The node of a pod that a token is bound to. */
  private nodeClaim(bound: { kind: string; object: StoredObject } | undefined): {
    node?: { name: string; uid: string };
  } {
    if (bound?.kind !== 'pod') return {};
    const { nodeName = '' } = (bound.object as unknown as { spec?: { nodeName?: string } }).spec ?? {};
    const node = nodeName === '' ? undefined : this.objects.get('nodes', '', '', nodeName);
    return node === undefined ? {} : { node: { name: nodeName, uid: node.metadata.uid } };
  }

  private boundObject(
    namespace: string,
    ref: TokenRequestSpec['boundObjectRef'],
  ): { kind: string; object: StoredObject } | undefined {
    if (ref === undefined || ref === null) return undefined;
    const { kind = '', name = '', uid, apiVersion = '' } = ref;
    const plural = BOUND_KINDS[kind];
    if (plural === undefined)
      throw badRequest(
        `cannot bind token to object of type ${apiVersion.includes('/') ? apiVersion.replace('/', '/') : `/${apiVersion}`}, Kind=${kind}`,
      );
    const object = this.objects.get(plural, '', kind === 'Node' ? '' : namespace, name);
    if (object === undefined) throw notFound({ group: '', plural }, name);
    if (uid !== undefined && uid !== '' && uid !== object.metadata.uid) {
      throw failure(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${kind} "${name}": the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
        { name, kind },
      );
    }
    return { kind: kind.toLowerCase(), object };
  }

  /** A token for a Secret of type kubernetes.io/service-account-token. */
  signForSecret({ namespace, secret, account, uid }: SecretTokenHolder): string {
    return this.sign({
      iss: SECRET_ISSUER,
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': secret,
      'kubernetes.io/serviceaccount/service-account.name': account,
      'kubernetes.io/serviceaccount/service-account.uid': uid,
      sub: `system:serviceaccount:${namespace}:${account}`,
    });
  }

  /** The user of a Secret's token, as long as Secret and account are there. */
  private readOfSecret(token: string, claims: SecretClaims): UserInfo | undefined {
    const namespace = claims['kubernetes.io/serviceaccount/namespace'];
    const name = claims['kubernetes.io/serviceaccount/service-account.name'];
    const uid = claims['kubernetes.io/serviceaccount/service-account.uid'];
    const secret = this.objects.get(
      'secrets',
      '',
      namespace,
      claims['kubernetes.io/serviceaccount/secret.name'],
    );
    const held = (secret?.['data'] as { token?: string } | undefined)?.token;
    if (held !== Buffer.from(token).toString('base64')) return undefined;
    if (this.objects.get('serviceaccounts', '', namespace, name)?.metadata.uid !== uid) return undefined;
    return serviceAccountUser(namespace, name, uid);
  }

  private sign(claims: Claims | SecretClaims): string {
    const head = encode({ alg: 'HS256', typ: 'JWT' });
    const body = encode(claims);
    return `${head}.${body}.${this.signature(`${head}.${body}`)}`;
  }

  private signature(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }

  /** The user of a token for this server; undefined for a bad, expired or foreign one. */
  read(token: string, audiences: readonly string[] = [ISSUER]): UserInfo | undefined {
    const [head, body, signature] = token.split('.');
    if (head === undefined || body === undefined || signature === undefined) return undefined;
    const wanted = Buffer.from(this.signature(`${head}.${body}`));
    const given = Buffer.from(signature);
    if (wanted.length !== given.length || !timingSafeEqual(wanted, given)) return undefined;
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Claims | SecretClaims;
    if (claims.iss === SECRET_ISSUER) {
      return audiences.includes(ISSUER) ? this.readOfSecret(token, claims as SecretClaims) : undefined;
    }
    return this.readBound(claims as Claims, audiences);
  }

  private readBound(claims: Claims, audiences: readonly string[]): UserInfo | undefined {
    if (claims.exp * 1000 <= this.nowMs() || !claims.aud.some((audience) => audiences.includes(audience)))
      return undefined;
    const { namespace, serviceaccount, pod } = claims['kubernetes.io'];
    const account = this.objects.get('serviceaccounts', '', namespace, serviceaccount.name);
    if (account?.metadata.uid !== serviceaccount.uid) return undefined;
    const user = serviceAccountUser(namespace, serviceaccount.name, serviceaccount.uid);
    const extra: Record<string, readonly string[]> = {
      'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
    };
    if (pod !== undefined) {
      if (this.objects.get('pods', '', namespace, pod.name)?.metadata.uid !== pod.uid) return undefined;
      extra['authentication.kubernetes.io/pod-name'] = [pod.name];
      extra['authentication.kubernetes.io/pod-uid'] = [pod.uid];
    }
    return { ...user, extra };
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function badSeconds(seconds: number, why: string): StatusError {
  return invalid('authentication.k8s.io', 'TokenRequest', '', [
    invalidValue('spec.expirationSeconds', seconds, why),
  ]);
}
