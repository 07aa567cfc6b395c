-- | Echo server on websockets. What the environment does not set keeps the library's default.
module Main (main) where

import Control.Monad (forever)
import Data.Maybe (fromMaybe)
import Network.WebSockets
import System.Environment (lookupEnv)

options :: (String -> Maybe String) -> ServerOptions
options env =
  defaultServerOptions
    { serverHost = fromMaybe "127.0.0.1" (env "HOST"),
      serverPort = maybe 9001 read (env "PORT"),
      serverRequirePong = read <$> env "CONNECTION_TIMEOUT",
      serverConnectionOptions =
        defaultConnectionOptions
          { connectionFramePayloadSizeLimit = limit "MAX_FRAME_SIZE",
            connectionMessageDataSizeLimit = limit "MAX_MESSAGE_SIZE",
            connectionCompressionOptions =
              if env "COMPRESSION" == Just "0"
                then NoCompression
                else PermessageDeflateCompression defaultPermessageDeflate
          }
    }
  where
    limit = maybe NoSizeLimit (SizeLimit . read) . env

main :: IO ()
main = do
  let names = ["HOST", "PORT", "CONNECTION_TIMEOUT", "PING_INTERVAL", "MAX_FRAME_SIZE", "MAX_MESSAGE_SIZE", "COMPRESSION"]
  values <- mapM lookupEnv names
  let env name = maybe Nothing id (lookup name (zip names values))
      pinging connection = case env "PING_INTERVAL" of
        Just seconds -> withPingThread connection (read seconds) (pure ())
        Nothing -> id
  runServerWithOptions (options env) $ \pending -> do
    connection <- acceptRequest pending
    pinging connection . forever $ do
      receiveDataMessage connection >>= sendDataMessage connection
