// Dictionary of HTTP/1.1: valid and invalid parts of requests. Each character is a byte.

const lines = (text: string): string[] => text.slice(1, -1).split("\n");

export const names = lines(`
/
/Ada
/version
/a%20b
/%F0%9F%90%99
/?name=Ada
/a/b/
/%2e%2e/etc
`);
export const targets = [
  ...names,
  ...lines(`

*
//
/%
/%zz
/%ff
/%00
/%0d%0aX:%20y
/\0
/\xff\xfe
/<script>
/a b
/#f
?name=%
/?name=%ff
/?name=&name=x
/__proto__
/constructor
localhost:80
http://
http:///
http://localhost/Ada
HTTP://a:b@c:99999/
https://[::1
http://[::1]:0/%
ftp://x/
`),
  `/${"%F0%9F%90%99".repeat(257)}`,
];
export const methods = [
  ..."GET HEAD POST PUT OPTIONS TRACE CONNECT QUERY M-SEARCH PRI get G\0T GET\t \xff".split(" "),
  "",
  "X".repeat(99),
];
export const versions = [
  ..."HTTP/1.1 HTTP/1.0 HTTP/0.9 HTTP/2.0 HTTP/1.2 HTTP/9.9 HTTP/11 http/1.1 HTTP/ RTSP/1.0".split(" "),
  "",
  "HTTP/1.1 ",
];
export const lineEnds = ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\0\r\n"];
export const oddHeaders = [
  "X: a\r\n b",
  "X: a\r\n\tb",
  " X: folded",
  "X: a\rb",
  "X: a\nb",
  ...lines(`
X : space
: empty
X
X:
X\0: y
X: \0
X: \x7f
X: \xff\x80
Host: other
Host:
Host: a, b
Host: [::
Host: \0
Accept: */*;q=
Accept: application/json;q=1.0000
Accept: ,,,;=,
Accept: text/html;q=nan, text/plain;q=-1
Accept: __proto__/__proto__
Connection: close, keep-alive
Connection: \x80
x-request-id: \xff
x-request-id: a\tb
traceparent: 00-0-0-0
traceparent: 00-00000000000000000000000000000000-0000000000000000-00
traceparent: ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
__proto__: x
constructor: y
Cookie: a=b; =
Range: bytes=9-1
`),
  `Accept: ${"a/b,".repeat(500)}`,
  `x-request-id: ${"a".repeat(129)}`,
  `tracestate: ${"a=b,".repeat(99)}`,
];
export const lengths = lines(`
Content-Length: 0
Content-Length: 5
Content-Length: -1
Content-Length: +5
Content-Length: 0x5
Content-Length: 5 5
Content-Length: 5, 5
Content-Length: 5, 6
Content-Length: 99999999999999999999
Content-Length: 
Transfer-Encoding: chunked
Transfer-Encoding: gzip, chunked
Transfer-Encoding: chunked, chunked
Transfer-Encoding: chunked, identity
Transfer-Encoding: identity
Transfer-Encoding: xchunked
Transfer-Encoding: \x0bchunked
Transfer-Encoding : chunked
`);
export const chunks = [
  ...lines(`
5|hello|
5 |hello|
5;a=b|hello|
0x5|hello|
5|hel
5|helloGET / HTTP/1.1||
0||
0|X: trailer||
0|Content-Length: 5||
0|\0||
|
-1|
zz|
ffffffffffffffff|
10000000000000000|x
`).map((line) => line.replaceAll("|", "\r\n")),
  "5\nhello\n",
  `5;${"x".repeat(20_000)}\r\nhello\r\n`,
];
