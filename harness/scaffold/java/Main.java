/** Echo server on LIBRARY. What the environment does not set keeps the library's default. */
public final class Main {
    public static void main(String[] arguments) {
        System.err.println("fill in: echo every message on " + System.getenv("HOST") + ":" + System.getenv("PORT")
            + ", text as text and binary as binary");
        System.exit(1);
    }
}
