import { describe, expect, it } from '@jest/globals';
import { isAllowed } from '../../src/webhooks/address.ts';
import { urlProblem } from '../../src/webhooks/target.ts';

const PUBLIC = ['8.8.8.8', '93.184.216.34', '2606:4700:4700::1111', '2a00:1450:4001:81b::200e'];
const NOT_PUBLIC = [
  ...['127.0.0.1', '127.255.0.1', '0.0.0.0', '0.1.2.3', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['169.254.169.254', '100.64.0.1', '100.127.255.255', '192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1'],
  ...['203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', '192.88.99.1'],
  ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:0:7f00:1', '64:ff9b::7f00:1'],
  ...['64:ff9b:1::1', '100::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fec0::1', 'ff02::1', '2001:db8::1'],
  ...['2001::1', '2002:7f00:1::', '4000::1', 'localhost', ''],
];

describe('an address', () => {
  it.each(PUBLIC)('%s may be called', (address) => {
    expect(isAllowed(address, false)).toBe(true);
  });

  it.each(NOT_PUBLIC)('%s may not be called', (address) => {
    expect(isAllowed(address, false)).toBe(false);
  });

  it('may be called where its network is allowed, however it is written', () => {
    const allow = ['10.0.0.0/8', 'fd00::/8'];
    expect(['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1'].map((address) => isAllowed(address, allow))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['127.0.0.1', '192.168.0.1', 'fc00::1'].map((address) => isAllowed(address, allow))).toEqual([
      false,
      false,
      false,
    ]);
    expect(isAllowed('8.8.8.8', allow)).toBe(true);
    expect(isAllowed('127.0.0.1', true)).toBe(true);
  });
});

describe('a URL', () => {
  it.each<[string, string]>([
    ['hooks', 'must be a URL'],
    ['ftp://example.com', 'must begin with https://'],
    ['http://example.com', 'must begin with https://'],
    ['file:///etc/passwd', 'must begin with https://'],
    ['https://user@example.com', 'no user name'],
    ['https://user:secret@example.com', 'no user name'],
    ['https://example.com/#part', 'no fragment'],
    [`https://example.com/${'a'.repeat(2_048)}`, 'at most 2048'],
    ['https://127.0.0.1', 'public address'],
    ['https://2130706433/', 'public address'],
    ['https://0x7f.1/', 'public address'],
    ['https://[::1]/', 'public address'],
    ['https://[::ffff:10.0.0.1]/', 'public address'],
  ])('%s is refused: %s', (url, why) => {
    expect(urlProblem(url, false)).toContain(why);
  });

  it('is taken where nothing is wrong with it', () => {
    expect(urlProblem('https://example.com:8443/a?b=c', false)).toBeUndefined();
    expect(urlProblem('http://10.0.0.1/', ['10.0.0.0/8'])).toBeUndefined();
    expect(urlProblem('http://127.0.0.1/', ['10.0.0.0/8'])).toContain('public address');
  });
});
