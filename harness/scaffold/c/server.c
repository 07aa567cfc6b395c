/* Echo server on LIBRARY. What the environment does not set keeps the library's default. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    fprintf(stderr, "fill in: echo every message on %s:%s, text as text and binary as binary\n", getenv("HOST"), getenv("PORT"));
    return 1;
}
