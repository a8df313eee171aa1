// OpenAPI documents: v3 per group-version with hashed URLs, and v2 whole.
// Differs: servers before 1.24 have v2 alone; here every release has both, as the machines' kubectl reads v3.
import { createHash } from 'node:crypto';
import { headerOf, type HttpResponse } from '../../../network/http/index.ts';
import { serializeDocument } from '../http/answer.ts';
import type { Exchange } from '../http/door.ts';
import type { ServerCore } from '../core.ts';
import { groupVersionDocument, groupVersionsOf } from './v3-document.ts';
import { wholeDocument } from './v2-document.ts';
import { encodeDocument } from './v2-protobuf.ts';

/** As answered; clients ask for it with an `@`, which isn't allowed in a media type. */
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const ASKED = /^\s*application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf\b/;

interface Rendered {
  readonly body: string | Uint8Array;
  readonly hash: string;
}

/** Documents are rendered once per set of served resources. */
const rendered = new WeakMap<ServerCore, { stamp: string; documents: Map<string, Rendered> }>();

function documentsOf(core: ServerCore): Map<string, Rendered> {
  const stamp = core.catalogue
    .all()
    .map(({ resource, kind }) => `${resource.group}/${resource.version}/${resource.plural}/${kind.prefix}`)
    .join()
    .concat(String(core.catalogue.customGeneration));
  const known = rendered.get(core);
  if (known?.stamp === stamp) return known.documents;
  const documents = new Map<string, Rendered>();
  rendered.set(core, { stamp, documents });
  return documents;
}

function render(core: ServerCore, key: string, make: () => unknown): Rendered {
  const documents = documentsOf(core);
  let document = documents.get(key);
  if (document === undefined) {
    const made = make();
    const body = made instanceof Uint8Array ? made : JSON.stringify(made);
    document = { body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() };
    documents.set(key, document);
  }
  return document;
}

/** Answers `/openapi/…`; undefined for other paths. */
export function openApiAnswer(
  exchange: Exchange,
  path: string,
  knownTag: string | undefined,
): HttpResponse | undefined {
  const { core, query } = exchange;
  if (path === '/openapi/v2') {
    if (wantsProtobuf(headerOf(exchange.request.headers, 'accept'))) {
      const { body, hash } = render(core, 'v2 in protobuf', () => encodeDocument(wholeDocument(core)));
      return tagged(body, hash, knownTag, [], PROTOBUF);
    }
    const { body, hash } = render(core, 'v2', () => wholeDocument(core));
    return tagged(body, hash, knownTag, []);
  }
  if (path === '/openapi/v3') {
    const paths = Object.fromEntries(
      groupVersionsOf(core).map((groupVersion) => [
        groupVersion,
        {
          serverRelativeURL: `/openapi/v3/${groupVersion}?hash=${renderGroupVersion(core, groupVersion).hash}`,
        },
      ]),
    );
    const body = serializeDocument({ paths }, { format: 'json', pretty: false });
    return tagged(body, createHash('sha512').update(body).digest('hex').toUpperCase(), knownTag, []);
  }
  if (!path.startsWith('/openapi/v3/')) return undefined;
  const groupVersion = path.slice('/openapi/v3/'.length);
  if (!groupVersionsOf(core).includes(groupVersion)) return { status: 404, headers: [] };
  const { body, hash } = renderGroupVersion(core, groupVersion);
  const asked = query.get('hash');
  if (asked !== null && asked !== hash) {
    return { status: 301, headers: [['location', `/openapi/v3/${groupVersion}?hash=${hash}`]] };
  }
  return tagged(body, hash, knownTag, asked === null ? [] : [['cache-control', 'public, immutable']]);
}

function renderGroupVersion(core: ServerCore, groupVersion: string): Rendered {
  return render(core, groupVersion, () => groupVersionDocument(core, groupVersion));
}

/** Whether protobuf comes before JSON in what a client takes. */
function wantsProtobuf(accept: string | undefined): boolean {
  return ASKED.test(accept ?? '');
}

function tagged(
  body: string | Uint8Array,
  hash: string,
  knownTag: string | undefined,
  headers: readonly (readonly [string, string])[],
  type = 'application/json',
): HttpResponse {
  const etag = `"${hash}"`;
  const all = [['content-type', type], ['etag', etag], ['vary', 'Accept'], ...headers] as const;
  return knownTag === etag ? { status: 304, headers: all } : { status: 200, headers: all, body };
}
