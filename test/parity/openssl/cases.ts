// Commands that the host's real openssl 3.0 and this one were both given, in a folder with the same files.

/** How the files were made, by the real one; what it made stands in recorded.json. */
export const MAKING = `
openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/C=CN/ST=Zhe Jiang/O=Lab, Inc/OU=a+b/CN=ca.test" -keyout ca.key -out ca.crt
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=web.test -addext "subjectAltName=DNS:web.test,DNS:*.web.test,IP:127.0.0.1,IP:fd00::1,email:a@b.c,URI:http://x/" -keyout web.key -out web.csr
openssl x509 -req -in web.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -copy_extensions copy -out web.crt
openssl req -x509 -newkey ed25519 -nodes -days 10 -subj "/CN=ed" -addext "keyUsage=critical,digitalSignature,keyCertSign" -addext "extendedKeyUsage=serverAuth,clientAuth" -set_serial 17 -keyout ed.key -out ed.crt
openssl req -new -newkey rsa:2048 -nodes -subj "/CN=plain/emailAddress=me@x.test" -keyout plain.key -out plain.csr
openssl x509 -req -in plain.csr -signkey plain.key -days 1 -set_serial 0x1234 -out plain.crt
openssl ecparam -name secp384r1 -genkey -noout -out p384.key
openssl req -x509 -new -key p384.key -days 5 -sha384 -subj "/CN=äö/O=中文" -utf8 -out p384.crt
openssl x509 -in web.crt -outform DER -out web.der
openssl rsa -in ca.key -traditional -out ca.pk1
openssl pkey -in ca.key -pubout -out ca.pub
cat web.crt ca.crt > chain.pem
printf 'some text\\n' > msg
openssl dgst -sha256 -sign ca.key -out msg.sig msg
openssl enc -aes-256-cbc -pbkdf2 -k secret -in msg -out msg.enc
`;

export const COMMANDS: readonly string[] = [
  ...['ca.crt', 'web.crt', 'ed.crt', 'plain.crt', 'p384.crt'].flatMap((file) => [
    `x509 -in ${file} -noout -text`,
    `x509 -in ${file} -noout -subject -issuer -serial -dates`,
    `x509 -in ${file} -noout -fingerprint`,
    `x509 -in ${file} -noout -subject -issuer -nameopt RFC2253`,
  ]),
  'x509 -in web.der -inform DER -noout -subject',
  'x509 -in web.crt',
  'x509 -in web.crt -text',
  'x509 -in web.crt -noout -fingerprint -sha256 -enddate -startdate -modulus -pubkey',
  'x509 -in ca.crt -noout -modulus',
  'x509 -in web.crt -noout -ext subjectAltName',
  'x509 -in ca.crt -noout -ext basicConstraints,subjectKeyIdentifier',
  'x509 -in web.crt -noout -checkend 10',
  'x509 -in web.crt -noout -checkend 99999999',
  'x509 -in chain.pem -noout -subject',
  'x509 -in ca.key -noout',
  'x509 -in nope -noout',
  'x509 -in',
  'req -in web.csr -noout -text',
  'req -in plain.csr -noout -text',
  'req -in web.csr -noout -subject -pubkey',
  'req -in web.csr -noout -verify',
  'req -in web.csr',
  'req -in ca.crt -noout',
  'rsa -in ca.key -noout -text',
  'rsa -in ca.pk1 -noout -text',
  'rsa -in ca.key -check -noout',
  'rsa -in ca.key -pubout',
  'rsa -in ca.key -modulus -noout',
  'rsa -in ca.crt -noout',
  'rsa -pubin -in ca.pub -noout -text',
  'ec -in web.key -noout -text',
  'ec -in web.key -pubout',
  'pkey -in web.key -noout -text',
  'pkey -in ed.key -noout -text',
  'pkey -in p384.key -text_pub -noout',
  'pkey -in ca.key -pubout',
  'pkey -in nope',
  'verify -CAfile ca.crt web.crt',
  'verify web.crt',
  'verify ca.crt',
  'verify -CAfile ca.crt plain.crt ca.crt web.crt',
  'verify -CAfile nope web.crt',
  'verify -CAfile ca.crt -untrusted web.crt web.crt',
  'dgst -sha256 msg',
  'dgst -md5 msg ca.crt',
  'sha1 msg',
  'md5 nope msg',
  'dgst -r -sha512 msg',
  'dgst -c msg',
  'dgst -hmac key msg',
  'dgst -sha256 -verify ca.pub -signature msg.sig msg',
  'dgst -sha256 -verify ca.pub -signature msg.sig ca.crt',
  'dgst -foo msg',
  'enc -base64 -in web.csr',
  'base64 -A -in msg',
  'enc -d -aes-256-cbc -pbkdf2 -k secret -in msg.enc',
  'enc -d -aes-256-cbc -pbkdf2 -k wrong -in msg.enc',
  'enc -aes-128-cbc -pbkdf2 -k x -S 0102030405060708 -a -in msg',
  'enc -aes-256-cbc -k x -S 0102030405060708 -a -in msg',
  'enc -aes-128-ecb -K 00112233445566778899aabbccddeeff -a -in msg',
  'passwd -6 -salt abc pw',
  'passwd -5 -salt abc pw',
  'passwd -1 -salt abc pw',
  'passwd -apr1 -salt abcdefgh pw other',
  'genpkey -algorithm foo',
  'genrsa 100',
  'ecparam -name foo -genkey',
  'ecparam -name prime256v1',
  'req -days',
  'frobnicate',
  'version',
  'ciphers',
];
