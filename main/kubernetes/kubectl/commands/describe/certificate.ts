// Describes CertificateSigningRequests: what is asked, by whom, and how it was decided.
import { parseSigningRequest, type SigningRequest } from '../../../../network/tls/index.ts';
import { CommandError } from '../../frame/command-error.ts';
import { humanDuration } from '../../output/duration.ts';
import { member, writeOwnEvents, type Describer } from './describer.ts';
import { timeText, type DescribeWriter, type StringMap } from './writer.ts';

interface Spec {
  readonly request: string;
  readonly signerName: string;
  readonly username: string;
  readonly expirationSeconds: number;
}

interface Status {
  readonly certificate: string;
  readonly conditions: readonly { readonly type: string }[];
}

export const describeCertificateRequest: Describer = async (describing) => {
  const { w, object } = describing;
  const { request = '', signerName = '', username = '', expirationSeconds } = member<Spec>(object, 'spec');
  const content = read(request);
  w.write(0, `Name:\t${object.metadata?.name}\n`);
  w.write(0, `Labels:\t${labelsText(object.metadata?.labels)}\n`);
  w.write(0, `Annotations:\t${labelsText(object.metadata?.annotations)}\n`);
  w.write(0, `CreationTimestamp:\t${timeText(object.metadata?.creationTimestamp)}\n`);
  w.write(0, `Requesting User:\t${username}\n`);
  if (signerName !== '') w.write(0, `Signer:\t${signerName}\n`);
  if (expirationSeconds !== undefined)
    w.write(0, `Requested Duration:\t${humanDuration(expirationSeconds * 1000)}\n`);
  w.write(0, `Status:\t${statusText(member<Status>(object, 'status'))}\n`);
  w.write(0, `Subject:\n\tCommon Name:\t${content.commonName}\n\tSerial Number:\t\n`);
  writeList(w, 'Organization', content.organizations);
  const { dnsNames, emailAddresses, uris, ipAddresses } = content;
  if (dnsNames.length + emailAddresses.length + uris.length + ipAddresses.length > 0) {
    w.write(0, 'Subject Alternative Names:\n');
    writeList(w, 'DNS Names', dnsNames);
    writeList(w, 'Email Addresses', emailAddresses);
    writeList(w, 'URIs', uris);
    writeList(w, 'IP Addresses', ipAddresses);
  }
  await writeOwnEvents(describing);
};

function read(request: string): SigningRequest {
  try {
    return parseSigningRequest(Buffer.from(request, 'base64').toString('utf8'));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CommandError(`Error parsing CSR: ${error.message}`);
  }
}

function statusText({ conditions = [], certificate = '' }: Partial<Status>): string {
  const has = (type: string): boolean => conditions.some((condition) => condition.type === type);
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return `${decision}${has('Failed') ? ',Failed' : ''}${certificate === '' ? '' : ',Issued'}`;
}

function writeList(w: DescribeWriter, title: string, values: readonly string[]): void {
  if (values.length > 0) w.write(0, `\t${title}:\t${values.join('\n\t\t')}\n`);
}

function labelsText(labels: StringMap | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',');
}
