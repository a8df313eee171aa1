// Endpoints and EndpointSlices (pkg/apis/core/validation ValidateEndpoints, pkg/apis/discovery/validation).
import type { EndpointSlice, Endpoints } from '../../api/types.ts';
import { labelKeyProblems, labelValueProblems } from '../../api/selector.ts';
import { equalTrees } from '../object.ts';
import { required } from '../refusals.ts';
import { addressProblems, parseAddress } from './addresses.ts';
import type { Faults } from './checks.ts';
import { immutable, validator, type Validator } from './validator.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const TYPES = ['FQDN', 'IPv4', 'IPv6'];
const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20_000;
const HINTS_MAX = 8;
const NAME_CHARACTERS_MAX = 63;

function checkReachable(faults: Faults, field: string, ip: string): void {
  const problems = addressProblems(ip);
  faults.problems(field, ip, problems);
  if (parseAddress(ip) === undefined) faults.invalid(field, ip, 'must be a valid IP address');
  else faults.reachable(field, ip);
}

function checkEndpoints(faults: Faults, { subsets }: Endpoints): void {
  for (const [index, { addresses = [], notReadyAddresses = [], ports = [] }] of (subsets ?? []).entries()) {
    const at = `subsets[${index}]`;
    if (addresses.length === 0 && notReadyAddresses.length === 0)
      faults.add(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    for (const [list, items] of Object.entries({ addresses, notReadyAddresses })) {
      for (const [position, { ip, hostname = '', nodeName }] of items.entries()) {
        const field = `${at}.${list}[${position}]`;
        checkReachable(faults, `${field}.ip`, ip);
        if (hostname !== '') faults.label(`${field}.hostname`, hostname);
        if (nodeName !== undefined) faults.subdomain(`${field}.nodeName`, nodeName);
      }
    }
    for (const [position, port] of ports.entries()) {
      const field = `${at}.ports[${position}]`;
      const { name = '', protocol = '', appProtocol } = port;
      if (name === '' && ports.length > 1) faults.add(required(`${field}.name`));
      else if (name !== '') faults.label(`${field}.name`, name);
      faults.port(`${field}.port`, port.port);
      if (protocol === '') faults.add(required(`${field}.protocol`));
      else faults.word(`${field}.protocol`, protocol, PROTOCOLS);
      if (appProtocol !== undefined) faults.labelKey(`${field}.appProtocol`, appProtocol);
    }
  }
}

function checkSlice(faults: Faults, slice: EndpointSlice): void {
  const type: string = slice.addressType ?? '';
  if (type === '') faults.add(required('addressType'));
  else faults.word('addressType', type, TYPES);
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length > ENDPOINTS_MAX) faults.tooMany('endpoints', endpoints.length, ENDPOINTS_MAX);
  else
    for (const [index, endpoint] of endpoints.entries())
      checkEndpoint(faults, `endpoints[${index}]`, endpoint, type);
  checkPorts(faults, slice);
}

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number];

function checkEndpoint(faults: Faults, at: string, endpoint: SliceEndpoint, type: string): void {
  const addresses = endpoint.addresses ?? [];
  if (addresses.length === 0) faults.add(required(`${at}.addresses`, 'must contain at least 1 address'));
  else if (addresses.length > ADDRESSES_MAX)
    faults.tooMany(`${at}.addresses`, addresses.length, ADDRESSES_MAX);
  for (const [position, address] of addresses.entries()) {
    const field = `${at}.addresses[${position}]`;
    if (type === 'FQDN') faults.subdomain(field, address);
    if (type !== 'IPv4' && type !== 'IPv6') continue;
    const known = parseAddress(address);
    faults.problems(field, address, addressProblems(address));
    // The list is named here, without the index.
    if (known !== undefined && `IPv${known.version}` !== type)
      faults.invalid(`${at}.addresses`, address, `must be an ${type} address`);
    if (known !== undefined) faults.reachable(field, address);
  }
  const { hostname, nodeName, zone, deprecatedTopology = {}, hints } = endpoint;
  if (nodeName !== undefined) faults.subdomain(`${at}.nodeName`, nodeName);
  for (const [key, value] of Object.entries(deprecatedTopology)) {
    faults.problems(`${at}.deprecatedTopology`, key, labelKeyProblems(key));
    faults.problems(`${at}.deprecatedTopology`, value, labelValueProblems(value));
  }
  if (hostname !== undefined) faults.label(`${at}.hostname`, hostname);
  if (zone !== undefined) faults.problems(`${at}.zone`, zone, labelValueProblems(zone));
  const zones = hints?.forZones ?? [];
  if (zones.length > HINTS_MAX) faults.tooMany(`${at}.hints.forZones`, zones.length, HINTS_MAX);
  for (const [position, { name }] of zones.entries())
    faults.problems(`${at}.hints.forZones[${position}].name`, name, labelValueProblems(name));
}

function checkPorts(faults: Faults, slice: EndpointSlice): void {
  const ports = slice.ports ?? []; // Left out, it is decoded as null.
  if (ports.length > PORTS_MAX) {
    faults.tooMany('ports', ports.length, PORTS_MAX);
    return;
  }
  const names = new Set<string>();
  for (const [index, { name = '', protocol, appProtocol }] of ports.entries()) {
    const at = `ports[${index}]`;
    if (name.length > NAME_CHARACTERS_MAX) faults.tooLong(`${at}.name`, NAME_CHARACTERS_MAX);
    else if (name !== '') faults.label(`${at}.name`, name);
    if (names.has(name)) faults.duplicate(`${at}.name`, name);
    names.add(name);
    if (protocol === undefined) faults.add(required(`${at}.protocol`));
    else faults.word(`${at}.protocol`, protocol, PROTOCOLS);
    if (appProtocol !== undefined) faults.labelKey(`${at}.appProtocol`, appProtocol);
  }
}

export const endpointValidators: Readonly<Record<string, Validator>> = {
  endpoints: validator<Endpoints>({
    create: checkEndpoints,
    // What is kept as it was isn't looked at again.
    update: (faults, now, old) => {
      if (!equalTrees(now.subsets, old.subsets)) checkEndpoints(faults, now);
    },
  }),
  endpointslices: validator<EndpointSlice>({
    create: checkSlice,
    update: (faults, now, old) => {
      checkSlice(faults, now);
      immutable(faults, 'addressType', now.addressType, old.addressType);
    },
  }),
};
