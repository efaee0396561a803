/* A small strict reader of the markup we write: balanced tags, quoted attributes, known entities, printable text. */
#ifndef TESTS_REPORT_MARKUP_H
#define TESTS_REPORT_MARKUP_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Elements without an end tag in HTML. */
static bool is_void(const char *name, size_t n) {
  static const char *const names[] = {"meta", "br", "hr", "img", "link", "col", "wbr"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strlen(names[i]) == n && strncmp(names[i], name, n) == 0) return true;
  return false;
}

static const char *check_entity(const char *p) {
  static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strncmp(p, known[i], strlen(known[i])) == 0) return p + strlen(known[i]);
  return NULL;
}

/** @return true when what printf makes of NaN or infinity stands in the text as a word. */
static bool has_nan(const char *text) {
  static const char *const words[] = {"nan", "inf"};
  for (size_t i = 0; i < 2; i++)
    for (const char *p = text; (p = strstr(p, words[i])); p++)
      if ((p == text || !isalpha((unsigned char)p[-1])) && !isalpha((unsigned char)p[3])) return true;
  return false;
}

/* Reads the attributes after a tag's name. @return the character after '>', NULL when malformed. */
static const char *check_attributes(const char *p, bool *closed) {
  *closed = false;
  for (;;) {
    bool space = false;
    while (isspace((unsigned char)*p)) {
      p++;
      space = true;
    }
    if (*p == '>') return p + 1;
    if (p[0] == '/' && p[1] == '>') {
      *closed = true;
      return p + 2;
    }
    if (!space) return NULL;
    const char *name = p;
    while (isalnum((unsigned char)*p) || *p == '-' || *p == ':') p++;
    if (p == name) return NULL;
    if (*p != '=') continue; /* <details open> */
    if (p[1] != '"') return NULL;
    for (p += 2; *p != '"';) {
      if (*p == 0 || *p == '<') return NULL;
      if (*p == '&' && !(p = check_entity(p))) return NULL;
      else if (*p != '"') p += *p != '&';
    }
    p++;
  }
}

/** @return NULL when the text is well-formed, else where it is not. */
static const char *markup_problem(const char *text) {
  struct {
    const char *name;
    size_t n;
  } open[64];
  size_t depth = 0;
  for (const char *p = text; *p;) {
    if (*p == '&') {
      const char *next = check_entity(p);
      if (!next) return p;
      p = next;
    } else if (*p != '<') {
      if (*p == '>' || ((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t')) return p;
      p++;
    } else if (strncmp(p, "<!doctype html>", 15) == 0) {
      p += 15;
    } else {
      const char *start = p++;
      bool end = *p == '/', closed = false;
      p += end;
      const char *name = p;
      while (isalnum((unsigned char)*p)) p++;
      size_t n = (size_t)(p - name);
      if (n == 0) return start;
      p = check_attributes(p, &closed);
      if (!p) return start;
      if (end) {
        if (depth == 0 || open[depth - 1].n != n || strncmp(open[depth - 1].name, name, n) != 0) return start;
        depth--;
      } else if (!closed && !is_void(name, n)) {
        if (depth == 64) return start;
        open[depth].name = name;
        open[depth++].n = n;
        if (n == 5 && strncmp(name, "style", 5) == 0) { /* raw text */
          const char *stop = strstr(p, "</style>");
          if (!stop) return start;
          p = stop;
        }
      }
    }
  }
  return depth ? "an element is left open" : NULL;
}

#endif
