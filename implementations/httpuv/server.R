# Echo server on httpuv. The library has no limits to set.
library(httpuv)

app <- list(
  call = function(req) list(status = 426L, headers = list(), body = ""),
  onWSOpen = function(ws) ws$onMessage(function(binary, message) ws$send(message))
)
runServer(Sys.getenv("HOST", "127.0.0.1"), as.integer(Sys.getenv("PORT", "9001")), app)
