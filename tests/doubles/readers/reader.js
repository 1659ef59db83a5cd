// Tells how Node reads requests, and answers: a server for the differential test (tests/house/test_differential.py).
"use strict";
const http = require("node:http");

const lines = (raw) => {
  const found = [];
  for (let i = 0; i < raw.length; i += 2) {
    found.push([raw[i].toLowerCase(), Buffer.from(raw[i + 1], "latin1").toString("base64")]);
  }
  return found;
};

const send = (answer, told) => {
  const body = Buffer.from(JSON.stringify(told));
  answer.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  answer.end(body);
};

const fetched = (port, answer) => {
  const call = http.request({ host: "127.0.0.1", port, path: "/a/b", agent: false }, (got) => {
    const parts = [];
    got.on("data", (part) => parts.push(part));
    got.on("end", () => send(answer, { status: got.statusCode, headers: lines(got.rawHeaders), body: Buffer.concat(parts).toString("base64") }));
    got.on("error", (error) => send(answer, { error: String(error) }));
  });
  call.on("error", (error) => send(answer, { error: String(error) }));
  call.end();
};

const server = http.createServer({ maxHeaderSize: 65536, insecureHTTPParser: false }, (request, answer) => {
  if (request.url.startsWith("/-fetch/")) return fetched(Number(request.url.slice(8)), answer);
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => send(answer, { method: request.method, target: request.url, headers: lines(request.rawHeaders), body: Buffer.concat(parts).toString("base64") }));
});
server.on("checkContinue", (request, answer) => server.emit("request", request, answer));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
