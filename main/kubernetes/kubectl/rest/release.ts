// What a kubectl's own release means for what it sends and shows: versions of kinds that came after it don't exist for it.
import { formerVersionsOf, isServedIn, minorOf, storedVersionOf } from '../../api/api-versions.ts';
import { conversionOf } from '../../api/conversion/conversion.ts';
import { apiVersionOf, type Resource } from '../../api/index.ts';
import type { KubectlVersion } from '../kubectl.ts';
import type { AnyObject } from './builder.ts';

/** The minor version of a kubectl. */
export function minorOfClient({ gitVersion }: KubectlVersion): number {
  return minorOf(gitVersion);
}

/** An object that kubectl makes by itself, in the version of its kind that the release has. */
export function asOfRelease(version: KubectlVersion, object: AnyObject): AnyObject {
  const { apiVersion = '', kind = '' } = object;
  const [group, name] = apiVersion.includes('/')
    ? (apiVersion.split('/') as [string, string])
    : ['', apiVersion];
  const minor = minorOf(version.gitVersion);
  if (isServedIn(minor, { group, version: name, kind })) return object;
  const former = formerVersionsOf({ group, kind }).find((resource) => isServedIn(minor, resource));
  if (former === undefined) return object;
  return {
    ...conversionOf(former).fromStored({ ...object }),
    apiVersion: apiVersionOf(former),
    kind,
  } as AnyObject;
}

/** An object as its stored version has it, with the group of that. */
export function inStoredForm(
  resource: Pick<Resource, 'group' | 'version' | 'plural' | 'kind'>,
  object: AnyObject,
): { readonly group: string; readonly object: AnyObject } {
  const stored = storedVersionOf(resource);
  if (stored === undefined) return { group: resource.group, object };
  const converted = conversionOf(resource).toStored({ ...object });
  return { group: stored.group, object: { ...converted, apiVersion: apiVersionOf(stored) } as AnyObject };
}
