// The functions that Kubernetes adds to CEL, each by an expression that must be true.
import { describe, expect, test } from 'vitest';
import { policyScope } from '../../../../../../main/kubernetes/apiserver/cel/policy-scope.ts';
import { runCel } from '../../../../../../main/kubernetes/apiserver/cel/cel.ts';

function evaluate(expression: string): unknown {
  const compiled = policyScope().compile(expression);
  if (!('run' in compiled)) return compiled.error;
  const { value, error } = runCel(compiled, {});
  return error ?? value;
}

describe('holds', () => {
  for (const expression of [
    // Strings
    `'tacocat'.charAt(3) == 'o'`,
    `'hello hello'.replace('he', 'we') == 'wello wello'`,
    `'hello hello'.replace('he', 'we', 1) == 'wello hello'`,
    `'gums'.reverse() == 'smug'`,
    `strings.quote('a"b') == '"a\\\\"b"'`,
    `'%s has %d of %.2f, %x %X %b %e%%'.format(['x', 3, 1.5, 255, 255, 5, 12.5]) == 'x has 3 of 1.50, ff FF 101 1.250000e+01%'`,
    `'%s'.format([[1, 2]]) == '[1, 2]'`,
    `'a,b,c'.split(',', 2) == ['a', 'b,c']`,
    `['a', 'b'].join('-') == 'a-b'`,
    // Lists
    `[1, 2, 2].isSorted() && ![2, 1].isSorted()`,
    `[1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0`,
    `[3, 1, 2].min() == 1 && ['b', 'a'].max() == 'b'`,
    `[1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2 && [1].indexOf(7) == -1`,
    // Sets
    `sets.contains([1, 2, 3], [2, 3]) && !sets.contains([1], [2])`,
    `sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects(['a'], ['b', 'a'])`,
    // Regular expressions
    `'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''`,
    `'1a2b3'.findAll('[0-9]') == ['1', '2', '3'] && '1a2b3'.findAll('[0-9]', 2) == ['1', '2']`,
    // URLs
    `isURL('https://example.com:80/a') && !isURL('../relative')`,
    `url('https://example.com:80/a?k=v&k=w').getHost() == 'example.com:80'`,
    `url('https://[::1]:80/a').getHostname() == '::1' && url('https://example.com').getPort() == ''`,
    `url('https://example.com/a b').getEscapedPath() == '/a%20b'`,
    `url('/a/b').getScheme() == '' && url('https://x.y/?k=v&k=w').getQuery()['k'] == ['v', 'w']`,
    // Quantities
    `isQuantity('1.3Gi') && !isQuantity('1.3 Gi')`,
    `quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').isLessThan(quantity('1'))`,
    `quantity('1000m') == quantity('1') && quantity('1Mi').asInteger() == 1048576`,
    `quantity('50k').add(quantity('20k')).compareTo(quantity('70k')) == 0`,
    `quantity('50k').sub(20000) == quantity('30k') && quantity('-1').sign() == -1`,
    `!quantity('1m').isInteger() && quantity('1500m').asApproximateFloat() == 1.5`,
    // Semantic versions
    `isSemver('1.2.3-rc.1') && !isSemver('v1.2') && isSemver('v1.2', true)`,
    `semver('1.2.3').major() == 1 && semver('1.10.0').isGreaterThan(semver('1.9.9'))`,
    `semver('1.0.0-alpha.1').isLessThan(semver('1.0.0')) && semver('1.0.0-1').compareTo(semver('1.0.0-alpha')) == -1`,
    // Addresses
    `isIP('127.0.0.1') && isIP('::1') && !isIP('127.0.0.01') && !isIP('::ffff:1.2.3.4')`,
    `ip('127.0.0.1').family() == 4 && ip('127.0.0.1').isLoopback() && ip('fe80::1').isLinkLocalUnicast()`,
    `ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')`,
    `ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()`,
    `cidr('192.168.0.0/24').containsIP('192.168.0.7') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.7'))`,
    `cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')`,
    `string(cidr('10.1.2.3/8').ip()) == '10.1.2.3' && cidr('::1/128').prefixLength() == 128 && !isCIDR('10.0.0.0')`,
    // Formats
    `!format.dns1123Label().validate('my-label-name').hasValue()`,
    `format.dns1123Label().validate('Not_One').value().size() == 1`,
    `format.named('qualifiedName').hasValue() && !format.named('nothing').hasValue()`,
    // Optional values and bindings
    `{'a': 1}[?'b'].orValue(2) == 2 && optional.of(1).hasValue() && cel.bind(x, 3, x * x) == 9`,
  ]) {
    test(expression, () => expect(evaluate(expression)).toBe(true));
  }
});

describe('fails', () => {
  for (const [expression, error] of [
    [`quantity('much')`, /^quantities must match/],
    [`semver('1')`, /^No Major.Minor.Patch/],
    [`ip('1.2.3')`, /unable to parse IP/],
    [`url('../a').getHost() == ''`, /^URL parse error/],
    [`1 / 0 == 1`, /^division by zero$/],
    [`[1][7] == 1`, /index/i],
    [`{'a': 1}.b == 1`, /^no such key: b$/],
  ] as const) {
    test(`${expression}: ${error.source}`, () => expect(evaluate(expression)).toMatch(error));
  }
});
