import test from "ava";
import { formatAddress, parseAddress } from "../../../src/platform/config/address.ts";

const addresses = [
  { text: "0.0.0.0:8080", address: { host: "0.0.0.0", port: 8080 } },
  { text: "localhost:0", address: { host: "localhost", port: 0 } },
  { text: ":8080", address: { host: "", port: 8080 } },
  { text: "[::]:8080", address: { host: "::", port: 8080 } },
  { text: "[::ffff:127.0.0.1]:65535", address: { host: "::ffff:127.0.0.1", port: 65_535 } },
];
for (const { text, address } of addresses) {
  test(`${text} is parsed and formatted`, (t) => {
    t.deepEqual(parseAddress(text), address);
    t.is(formatAddress(address), text);
  });
}

for (const text of [
  "",
  "8080",
  "localhost",
  "localhost:",
  "localhost:65536",
  "localhost:80x",
  "::1:80",
  "[::1]",
  "a b:1",
  "http://a:1",
  "[x]:1",
  "[....]:0",
  "[127.0.0.1]:0",
]) {
  test(`"${text}" is no address`, (t) => {
    t.is(parseAddress(text), undefined);
  });
}
