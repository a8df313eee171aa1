// What form of answer a client wants: JSON or YAML, as the object itself, as a Table or as metadata only.
import { isStatus } from '../../api/status.ts';
import { failure } from '../refusals.ts';

export interface Wanted {
  readonly format: 'json' | 'yaml';
  readonly as:
    | 'Table'
    | 'PartialObjectMetadata'
    | 'PartialObjectMetadataList'
    | 'APIGroupDiscoveryList'
    | undefined;
  /** Version of the form in `as`, such as `v1`. */
  readonly asVersion: string;
  readonly pretty: boolean;
}

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

function rangesOf(accept: string): MediaRange[] {
  return accept
    .split(',')
    .map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
      const pairs = parameters.map((part) => {
        const [key = '', value = ''] = part.split('=');
        return [key, value] as const;
      });
      const map = new Map(pairs);
      return { type: type.toLowerCase(), parameters: map, quality: Number(map.get('q') ?? '1') };
    })
    .filter(({ type }) => type !== '')
    .sort((a, b) => b.quality - a.quality);
}

function formatOf(type: string): 'json' | 'yaml' | undefined {
  switch (type) {
    case '*/*':
    case 'application/*':
    case 'application/json':
    // Differs: protobuf isn't written; clients that ask for it take JSON too.
    case 'application/vnd.kubernetes.protobuf':
      return 'json';
    case 'application/yaml':
      return 'yaml';
    default:
      return undefined;
  }
}

const AVAILABLE = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

/** Chooses the first form on offer. Throws 406. */
export function negotiate(accept: string | undefined, pretty: boolean, streams: boolean): Wanted {
  const ranges = accept === undefined || accept.trim() === '' ? [] : rangesOf(accept);
  if (ranges.length === 0) return { format: 'json', as: undefined, asVersion: '', pretty };
  let transformed = false;
  for (const { type, parameters } of ranges) {
    const format = formatOf(type);
    if (format === undefined) continue;
    const as = parameters.get('as');
    if (as === undefined) return { format, as: undefined, asVersion: '', pretty };
    transformed = true;
    const version = parameters.get('v') ?? '';
    const isMeta = parameters.get('g') === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1');
    if (isMeta && (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')) {
      return { format, as, asVersion: version, pretty };
    }
  }
  if (transformed) {
    throw failure(406, 'NotAcceptable', `only the following media types are accepted: ${AVAILABLE}`);
  }
  throw notAcceptable(streams);
}

function notAcceptable(_streams: boolean): Error {
  return failure(
    406,
    'NotAcceptable',
    `406: Not Acceptable\n\nAvailable representations: ${AVAILABLE}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch`,
    {},
  );
}

/** Whether a client takes none of the forms on offer; refusals are then told in plain, indented JSON. */
export function takesNothing(accept: string | undefined): boolean {
  try {
    negotiate(accept, false, false);
    return false;
  } catch (error) {
    if (isStatus(error, 'NotAcceptable')) return true;
    throw error;
  }
}

/** Whether aggregated discovery is asked for rather than the plain documents. Throws 406 for a client that takes neither. */
export function wantsAggregatedDiscovery(accept: string | undefined): boolean {
  const ranges = rangesOf(accept ?? '');
  if (ranges.length === 0) return false;
  for (const { type, parameters } of ranges) {
    if (formatOf(type) === undefined) continue;
    if (parameters.get('as') === undefined) return false;
    if (type !== 'application/json' || parameters.get('g') !== 'apidiscovery.k8s.io') continue;
    if (parameters.get('as') === 'APIGroupDiscoveryList' && parameters.get('v') === 'v2') return true;
  }
  throw failure(406, 'NotAcceptable', `only the following media types are accepted: ${AVAILABLE}`);
}
