// openssl.cnf: its sections, and extensions as their lines name them (x509v3_config(5)).
import { der, x509 } from '../../../../network/tls/index.ts';
import { OpensslError } from './arguments.ts';

export type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Reads a configuration file: sections of `key = value`, comments, continued lines, $variables. */
export function parseSections(text: string): Sections {
  const sections = new Map<string, Map<string, string>>([['default', new Map()]]);
  let current = sections.get('default')!;
  for (const line of text.replaceAll(/\\\n/g, '').split('\n')) {
    const bare = line.replace(/(?:^|\s)#.*$/, '').trim();
    const heading = /^\[\s*(.+?)\s*\]$/.exec(bare)?.[1];
    if (heading !== undefined) {
      current = sections.get(heading) ?? new Map<string, string>();
      sections.set(heading, current);
      continue;
    }
    const equals = bare.indexOf('=');
    if (equals <= 0) continue;
    const value = bare
      .slice(equals + 1)
      .trim()
      .replaceAll(
        /\$(?:\{(\w+)\}|(\w+))/g,
        (_, one?: string, two?: string) =>
          current.get(one ?? two ?? '') ?? sections.get('default')!.get(one ?? two ?? '') ?? '',
      )
      .replaceAll(/^"|"$/g, '');
    current.set(bare.slice(0, equals).trim(), value);
  }
  return sections;
}

const KEY_USAGES: Readonly<Record<string, number>> = {
  digitalSignature: 0,
  nonRepudiation: 1,
  contentCommitment: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
  encipherOnly: 7,
  decipherOnly: 8,
};
const PURPOSES: Readonly<Record<string, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  OCSPSigning: '1.3.6.1.5.5.7.3.9',
  anyExtendedKeyUsage: '2.5.29.37.0',
};

export interface ExtensionKeys {
  /** SubjectPublicKeyInfo, in DER. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
}

/** Extensions in DER. Throws OpensslError for what openssl wouldn't take. */
export function makeExtensions(
  lines: readonly (readonly [string, string])[],
  sections: Sections,
  keys: ExtensionKeys,
): { readonly id: string; readonly bytes: Buffer }[] {
  return lines.flatMap(([name, value]) => {
    const words = value.split(',').map((word) => word.trim());
    const isCritical = words[0] === 'critical';
    const rest = isCritical ? words.slice(1) : words;
    const bytes = makeExtension(name, rest, isCritical, sections, keys);
    return bytes === undefined ? [] : [{ id: der.oidText(der.inside(der.readAll(bytes)[0])[0]!), bytes }];
  });
}

function makeExtension(
  name: string,
  words: readonly string[],
  isCritical: boolean,
  sections: Sections,
  keys: ExtensionKeys,
): Buffer | undefined {
  const bad = (): OpensslError => new OpensslError(`Error checking extension ${name}=${words.join(',')}\n`);
  switch (name) {
    case 'subjectAltName': {
      const all = words.flatMap((word) => {
        if (!word.startsWith('@')) return [word];
        const section = sections.get(word.slice(1));
        if (section === undefined) throw bad();
        return [...section].map(([key, value]) => `${key.replace(/\.\d+$/, '')}:${value}`);
      });
      return x509.subjectAltName(
        all.map((word) => {
          const colon = word.indexOf(':');
          const made = x509.generalName(word.slice(0, colon), word.slice(colon + 1));
          if (colon <= 0 || made === undefined) throw bad();
          return made;
        }),
        isCritical,
      );
    }
    case 'basicConstraints': {
      const isAuthority = words.some((word) => /^CA:true$/i.test(word));
      const path = words.find((word) => /^pathlen:\d+$/i.test(word));
      if (!words.every((word) => /^CA:(?:true|false)$|^pathlen:\d+$/i.test(word))) throw bad();
      return x509.basicConstraints(
        isAuthority,
        isCritical,
        path === undefined ? undefined : Number(path.slice(8)),
      );
    }
    case 'keyUsage': {
      if (words.some((word) => KEY_USAGES[word] === undefined)) throw bad();
      return x509.extension('2.5.29.15', isCritical, x509.bitSet(words.map((word) => KEY_USAGES[word]!)));
    }
    case 'extendedKeyUsage': {
      const ids = words.map((word) => PURPOSES[word] ?? (/^[\d.]+$/.test(word) ? word : undefined));
      if (ids.includes(undefined)) throw bad();
      return x509.extendedKeyUsage(ids as string[], isCritical);
    }
    case 'subjectKeyIdentifier':
      return words[0] === 'none' ? undefined : x509.subjectKeyIdentifier(keys.subject);
    case 'authorityKeyIdentifier':
      return words[0] === 'none' ? undefined : x509.authorityKeyIdentifier(keys.issuer);
    case 'nsComment':
    case 'crlDistributionPoints':
    case 'certificatePolicies':
    case 'authorityInfoAccess':
    case 'issuerAltName':
    case 'nameConstraints':
      throw new OpensslError(`drydock: the extension ${name} isn't simulated\n`);
    default:
      throw bad();
  }
}
