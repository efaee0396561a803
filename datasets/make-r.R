#!/usr/bin/Rscript
# Write the five sets with missing values that R and its packages carry
# (Debian: r-base-core, r-cran-mass, r-cran-mlbench).
#
# usage: make-r.R DIR
#
# One number format per column: the shortest decimal text that reads back to
# the same double, without a trailing ".0" and without an exponent.

number <- function(x) {
  for (digits in 1:17) {
    text <- format(x, digits = digits, scientific = FALSE, trim = TRUE)
    if (as.numeric(text) == x) return(text)
  }
  stop("cannot print ", x, " as a plain decimal")
}

cells <- function(column, missing) {
  text <- if (is.numeric(column)) vapply(column, function(x) if (is.na(x)) "" else number(x), "")
          else as.character(column)
  present <- !is.na(column)
  # None of these sets needs quotes, and none may be mistaken for the marker.
  if (any(grepl("[\",\r\n]|^ | $|^$|^NA$", text[present]))) stop("a cell needs quotes")
  text[!present] <- missing
  text
}

# The target column moves to the end; the others keep their order.
save <- function(folder, file, frame, target, missing) {
  frame <- frame[c(setdiff(names(frame), target), target)]
  text <- do.call(paste, c(lapply(unname(as.list(frame)), cells, missing), sep = ","))
  out <- file(file.path(folder, file), "wb")
  writeLines(c(paste(names(frame), collapse = ","), text), out, sep = "\n", useBytes = TRUE)
  close(out)
}

folder <- commandArgs(trailingOnly = TRUE)
if (length(folder) != 1) stop("usage: make-r.R DIR")

data("PimaIndiansDiabetes2", "HouseVotes84", package = "mlbench")
votes <- HouseVotes84
# mlbench calls the votes V1 ... V16; its help page lists what they were.
names(votes) <- c("party", "handicapped_infants", "water_project_cost_sharing",
  "adoption_of_the_budget_resolution", "physician_fee_freeze", "el_salvador_aid",
  "religious_groups_in_schools", "anti_satellite_test_ban", "aid_to_nicaraguan_contras",
  "mx_missile", "immigration", "synfuels_corporation_cutback", "education_spending",
  "superfund_right_to_sue", "crime", "duty_free_exports",
  "export_administration_act_south_africa")

save(folder, "airquality.csv", datasets::airquality, "Ozone", "NA")
save(folder, "biopsy.csv", MASS::biopsy, "class", "NA")
save(folder, "pima.csv", PimaIndiansDiabetes2, "diabetes", "NA")
save(folder, "survey.csv", MASS::survey, "Sex", "")
save(folder, "house-votes.csv", votes, "party", "")
