// Prints what an emostream daemon publishes; the messages are described in docs/protocol.md.
//
//   npm install
//   node subscribe.mjs --endpoint tcp://127.0.0.1:5557 --count 20
//   node subscribe.mjs --endpoint tcp://HOST:5557 --key laptop.key --server-key KEY    (stream.curve: true)

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { decode as decodeMessagePack } from "@msgpack/msgpack";
import { Subscriber } from "zeromq";

// A message's first byte tells JSON from MessagePack.
function decode(body) {
  return body[0] === "{".charCodeAt(0) ? JSON.parse(body.toString()) : decodeMessagePack(body);
}

// The nearest emotion and what speaks for it, or why there is no score.
function describe({ emotions, evidence }) {
  const items = Object.entries(evidence);
  if (emotions.length === 0) {
    return "no evidence: " + items.map(([name, item]) => `${name}: ${item.why}`).join("; ");
  }
  const nearest = emotions.reduce((a, b) => (b.distance < a.distance ? b : a));
  const used = items.filter(([, item]) => item.used).map(([name]) => name);
  return `${nearest.name} at distance ${nearest.distance.toFixed(2)}, from ${used.join(", ")}`;
}

const { values: options } = parseArgs({
  options: {
    endpoint: { type: "string", default: "tcp://127.0.0.1:5557" },
    key: { type: "string" }, // file of your pair of keys, from `emostream keys new NAME`
    "server-key": { type: "string" }, // the daemon's public key, from `emostream keys list`
    count: { type: "string", default: "Infinity" },
  },
});
let left = Number(options.count);

const socket = new Subscriber();
socket.subscribe("emotion.");
if (options.key) {
  const pair = JSON.parse(readFileSync(options.key, "utf8"));
  socket.curvePublicKey = pair.public;
  socket.curveSecretKey = pair.secret;
  socket.curveServerKey = options["server-key"];
}
socket.connect(options.endpoint);
const lastSeq = new Map();
for await (const [, body] of socket) {
  const message = decode(body);
  const { source, seq } = message;
  const missed = seq - (lastSeq.get(source) ?? seq - 1) - 1;
  if (missed > 0) { // a smaller seq than the last one is a restart, not a gap
    console.log(`${source}: ${missed} messages missed before seq ${seq}`);
  }
  lastSeq.set(source, seq);
  console.log(`${source}: ${describe(message)}`);
  if (--left <= 0) break;
}
socket.close();
