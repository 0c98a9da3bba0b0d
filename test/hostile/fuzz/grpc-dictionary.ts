// Dictionary of gRPC: valid and invalid parts of calls.
import type { Header } from "./frames.ts";

const lines = (text: string): string[] => text.slice(1, -1).split("\n");

export const service = "/greeter.v1.GreeterService";
export const paths = [
  `${service}/Greet`,
  `${service}/Version`,
  "/grpc.health.v1.Health/Check",
  "/grpc.health.v1.Health/List",
  "/grpc.health.v1.Health/Watch",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];
export const wrongPaths = [
  ...lines(`

/
//
*
/__proto__/constructor
/%00
/a\xffb
greeter.v1.GreeterService/Greet
`),
  `${service}/`,
  `${service}/greet`,
  `${service}/Greet/`,
  `${service}/Greet?a=b`,
  `/${"x".repeat(5000)}`,
];
export const encodings = lines(`

identity
gzip
gzip,gzip
GZIP
deflate
snappy
br
zstd
\xff
__proto__
constructor
`);
export const contentTypes = lines(`

application/grpc+proto
application/grpc+json
application/grpc-web
application/grpc-web+proto
application/grpcx
application/grpc;
application/grpc; charset=\xff
APPLICATION/GRPC
application/json
application/proto
text/html
multipart/form-data
`);
export const timeouts = lines(`

0n
1n
1m
0S
00000001m
2147483648m
596H
597H
99999999H
999999999H
10000000000000000000000S
-1S
+1S
1.5S
1e9S
0x10S
1s
1 S
1
S
NaNm
Infinitym
1S, 2S
\xff
`);
export const metadata = [
  ...lines(`
x-bin: %%%
x-bin: a
x-bin: AAAA,BBBB
x-bin: =====
x-bin: \xff
-bin: AA
grpc-x: y
grpc-status: 0
grpc-message: %zz
grpc-status-details-bin: !
grpc-trace-bin: AAAA
grpc-tags-bin: *
grpc-encoding: gzip
grpc-accept-encoding: ,,gzip,\xff
grpc-accept-encoding: __proto__
grpc-previous-rpc-attempts: x
grpc-internal-encoding-request: gzip
x-request-id: \xff
traceparent: 00-x
tracestate: =
user-agent: 
x:  padded 
__proto__: x
constructor: x
hasOwnProperty: x
a b: x
content-length: 5
cookie: a
`),
  `x-many: ${"v".repeat(15_000)}`,
].map((line): Header => {
  const end = line.indexOf(": ");
  return [line.slice(0, end), line.slice(end + 2)];
});

/** Names with characters that are forbidden or error-prone. */
export const characters = [
  "",
  "\0",
  "\u0085",
  "\u202e",
  "\ufeff",
  "\u007f",
  "</script>",
  "%s",
  "🐙".repeat(256),
  "🐙".repeat(257),
  "a".repeat(60_000),
].map((text) => Buffer.from(text));
/** Overlong forms, surrogates, code points beyond Unicode and truncated sequences (https://www.rfc-editor.org/rfc/rfc3629#section-3). */
export const invalidUtf8 = [
  [0xff],
  [0x80],
  [0xc0, 0x80],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
].map((bytes) => Buffer.from(bytes));
