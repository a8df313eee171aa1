// The text of 403 Forbidden (apiserver pkg/endpoints/handlers/responsewriters/errors.go).
import { failure, qualified } from '../refusals.ts';
import type { StatusError } from '../../api/status.ts';
import type { Attributes } from './authorizer.ts';

/** The refusal for somebody who may not do something. */
export function forbiddenAccess(attributes: Attributes, reason: string): StatusError {
  const { user, verb, path, group, resource, subresource, namespace, name } = attributes;
  const why = reason === '' ? '' : `: ${reason}`;
  const who = `User ${JSON.stringify(user.name)}`;
  if (path !== undefined) {
    return failure(
      403,
      'Forbidden',
      `forbidden: ${who} cannot ${verb} path ${JSON.stringify(path)}${why}`,
      {},
    );
  }
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const target = qualified({ group, plural: resource });
  const subject = name === '' ? `${target} is forbidden` : `${target} ${JSON.stringify(name)} is forbidden`;
  return failure(
    403,
    'Forbidden',
    `${subject}: ${who} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where}${why}`,
    { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource },
  );
}
