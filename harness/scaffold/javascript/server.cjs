"use strict";
// Echo server on LIBRARY. What the environment does not set keeps the library's default.

const { HOST = "127.0.0.1", PORT = "9001", MAX_MESSAGE_SIZE } = process.env;

console.error(`fill in: echo every message on ${HOST}:${PORT}, text as text and binary as binary`);
process.exit(1);
